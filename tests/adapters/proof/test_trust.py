"""A checkpoint is believed for the keys that its reader brings, and for no others."""

from pathlib import Path

import pytest

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, NoteInvalid, SigningKey, VerifyingKey, note_of
from adapters.proof.trust import Trust, keys_from
from tests.adapters.proof.logs import (
    COSIGNED_AT,
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG,
    SIGNED_AT,
    SIZE,
    TRUST,
    WITNESS,
    WITNESS_KEYS,
    checkpoint_of,
    note,
    signed,
    trusted_by,
)


def test_it_says_what_the_log_and_the_known_witnesses_signed() -> None:
    found = trusted_by(*WITNESS_KEYS, at_least=2).opened(note())
    assert found.checkpoint == checkpoint_of(SIZE)
    assert found.signed_at == SIGNED_AT
    assert found.witnesses == dict.fromkeys((key.name for key in WITNESS_KEYS), COSIGNED_AT)
    assert TRUST.opened(note()).witnesses == {}


def test_without_the_logs_own_signature_witnesses_prove_nothing() -> None:
    text = checkpoint_of(SIZE).text()
    for line in (WITNESS.cosign(text, COSIGNED_AT), WITNESS.sign(text), LOG.cosign(text, SIGNED_AT)):
        with pytest.raises(NoteInvalid):
            trusted_by(*WITNESS_KEYS, WITNESS.verifying()).opened(note_of(text, line))
    with pytest.raises(NoteInvalid, match="name the key of the log"):
        Trust.of(WITNESS_KEYS)


def test_a_log_speaks_for_itself_alone() -> None:
    other = SigningKey.from_seed("seatledger/another/1", b"7" * 32)
    with pytest.raises(NoteInvalid, match="not signed by the log that it is of"):
        Trust.of([LOG_KEY, other.verifying()]).opened(signed(checkpoint_of(9), log=other))
    with pytest.raises(NoteInvalid):
        TRUST.opened(signed(Checkpoint("seatledger/another/1", 9, checkpoint_of(9).root), log=OTHER_LOG))


def test_as_many_witnesses_as_are_asked_for_must_have_cosigned() -> None:
    by_one = signed(checkpoint_of(SIZE), witnesses=[WITNESS])
    assert trusted_by(*WITNESS_KEYS, at_least=1).opened(by_one).witnesses == {WITNESS.name: COSIGNED_AT}
    with pytest.raises(NoteInvalid, match="1 witnesses have cosigned it, and 2 must have"):
        trusted_by(*WITNESS_KEYS, at_least=2).opened(by_one)
    with pytest.raises(NoteInvalid, match="fewer are known"):
        trusted_by(*WITNESS_KEYS, at_least=3)


def test_one_key_under_two_names_is_one_witness() -> None:
    twin = SigningKey("another.example/name", WITNESS.private)
    both = signed(checkpoint_of(SIZE), witnesses=[WITNESS, twin])
    keys = (WITNESS.verifying(COSIGNATURE), twin.verifying(COSIGNATURE))
    assert len(trusted_by(*keys, at_least=1).opened(both).witnesses) == 2
    with pytest.raises(NoteInvalid):
        trusted_by(*keys, at_least=2)


def test_a_log_is_no_witness_of_itself() -> None:
    for name in (ORIGIN, "another.example/name"):
        own = VerifyingKey(name, COSIGNATURE, LOG_KEY.public)
        assert trusted_by(own).opened(note()).witnesses == {}
        with pytest.raises(NoteInvalid):
            trusted_by(own, at_least=1)
    with pytest.raises(NoteInvalid, match="the name of a log"):
        trusted_by(OTHER_LOG.verifying(COSIGNATURE))


def test_keys_are_written_or_in_files(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(f"# of 2026\n{LOG_KEY}\n\n  {WITNESS_KEYS[0]}\n", encoding="utf-8")
    assert keys_from([str(file), str(WITNESS_KEYS[1])]) == [LOG_KEY, *WITNESS_KEYS]
    assert keys_from([]) == []
    with pytest.raises(NoteInvalid, match="is empty"):
        keys_from([""])  # as an unset variable gives


@pytest.mark.parametrize("content", [b"\xff\xfe", b"not a key", b"a" * 70_000])
def test_a_file_that_is_none_of_keys_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(NoteInvalid):
        keys_from([str(file)])
