"""Signed notes: those that others published are read, and nothing that only looks like one is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, ED25519, NoteInvalid, SigningKey, VerifyingKey, note_of, open_note
from projections.audit.merkle import EMPTY_ROOT

# Of golang.org/x/mod/sumdb/note, the reference of the format.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_LINE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
PETERS_NOTE = f"{TEXT}\n\u2014 PeterNeumann {PETERS_LINE}\n"
LOG, WITNESS = (SigningKey.from_seed(name, bytes([n]) * 32) for n, name in enumerate(("example.com/log", "witness")))
CHECKPOINT = Checkpoint("example.com/log", 20_852_163, b"\x07" * 32)
NOTE = note_of(CHECKPOINT.text(), LOG.sign(CHECKPOINT.text()), WITNESS.cosign(CHECKPOINT.text(), 1_679_315_147))
KEYS = [LOG.verifying(), WITNESS.verifying(COSIGNATURE)]


def test_a_published_note_and_its_key_are_read() -> None:
    key = VerifyingKey.parse(PETER)
    assert str(key) == PETER
    opened = open_note(PETERS_NOTE, [key])
    assert (opened.text, opened.signed) == (TEXT, (("PeterNeumann", ED25519, None),))


def test_log_and_witness_sign_and_the_time_of_the_witness_is_told() -> None:
    opened = open_note(NOTE, KEYS)
    assert Checkpoint.parse(opened.text) == CHECKPOINT
    assert opened.signed == (("example.com/log", ED25519, None), ("witness", COSIGNATURE, 1_679_315_147))


def test_signatures_by_unknown_keys_are_passed_over_but_one_must_be_known() -> None:
    assert [one.name for one in open_note(NOTE, KEYS[1:]).signed] == ["witness"]
    with pytest.raises(NoteInvalid, match="no key that is trusted"):
        open_note(NOTE, [VerifyingKey.parse(PETER)])
    with pytest.raises(NoteInvalid, match="no key that is trusted"):
        open_note(NOTE, [SigningKey.from_seed("example.com/log", b"\x09" * 32).verifying()])


def test_a_cosignature_says_its_time_and_no_other() -> None:
    line = WITNESS.cosign(CHECKPOINT.text(), 1_679_315_147)
    later = WITNESS.cosign(CHECKPOINT.text(), 1_679_315_148)
    assert line != later
    forged = note_of(CHECKPOINT.text(), line[:40] + later[40:])
    with pytest.raises(NoteInvalid):
        open_note(forged, KEYS)


def test_a_time_that_no_calendar_has_is_refused() -> None:
    text = CHECKPOINT.text()
    assert open_note(note_of(text, WITNESS.cosign(text, 253_402_300_799)), KEYS).signed[0].at == 253_402_300_799
    for at in (253_402_300_800, 2**64 - 1):
        with pytest.raises(NoteInvalid, match="no calendar"):
            open_note(note_of(text, WITNESS.cosign(text, at)), KEYS)


def test_the_same_key_as_log_and_as_witness_are_two() -> None:
    log, time = LOG.verifying(), LOG.verifying(COSIGNATURE)
    assert log.key_id != time.key_id
    note = note_of(CHECKPOINT.text(), LOG.sign(CHECKPOINT.text()))
    with pytest.raises(NoteInvalid, match="no key that is trusted"):
        open_note(note, [time])


@pytest.mark.parametrize(
    "wrong",
    [
        PETERS_NOTE.rstrip("\n"),
        PETERS_NOTE.replace("\u2014", "-"),
        PETERS_NOTE.replace("\u2014", "\u2013"),
        PETERS_NOTE.replace("\u2014 ", "\u2014"),
        PETERS_NOTE.replace("\u2014 ", "\u2014  "),
        PETERS_NOTE.replace("\n\n", "\n"),
        PETERS_NOTE.replace("problem is", "problem was"),
        PETERS_NOTE.replace("nAM=\n", "nAN=\n"),  # the same bytes in base64 that is not canonical
        PETERS_NOTE.replace("nAM=\n", "nAM\n"),
        PETERS_NOTE.replace("nAM=\n", "nAM=\r\n"),
        PETERS_NOTE.replace("nAM=\n", "nAM= \n"),
        PETERS_NOTE.replace("x08go/", "x08go_"),
        PETERS_NOTE + PETERS_NOTE.split("\n\n")[1],  # signed twice
        PETERS_NOTE + "\u2014 other\n",
        PETERS_NOTE + "\n",
        "\n" + PETERS_NOTE,
        PETERS_NOTE.replace("cryptography", "crypto\x00graphy"),
        PETERS_NOTE.replace("cryptography", "crypto\tgraphy"),
        PETERS_NOTE.replace("cryptography", "crypto\ud800graphy"),
        PETERS_NOTE.split("\n\n", maxsplit=1)[1],
        "",
        "\n",
        "\n\n\n",
        TEXT,
        "x" * 1_000_001,
        PETERS_NOTE + "".join(f"\u2014 other{n} AAAAAAAA\n" for n in range(100)),
    ],
)
def test_what_is_nearly_a_note_is_none(wrong: str) -> None:
    with pytest.raises(NoteInvalid):
        open_note(wrong, [VerifyingKey.parse(PETER)])


@pytest.mark.parametrize(
    "wrong",
    [
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
        PETER.replace("ARpc", "AhpC"),
        f"{PETER}=",
        f"{PETER}\n",
        f" {PETER}",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a3+AQ==",
        "PeterNeumann",
        "",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_nearly_a_key_is_none(wrong: str) -> None:
    with pytest.raises(NoteInvalid):
        VerifyingKey.parse(wrong)


def test_a_key_that_is_given_twice_is_a_mistake() -> None:
    with pytest.raises(NoteInvalid, match="twice"):
        open_note(PETERS_NOTE, [VerifyingKey.parse(PETER)] * 2)


@pytest.mark.parametrize(
    "wrong",
    [
        CHECKPOINT.text().replace("20852163", "020852163"),
        CHECKPOINT.text().replace("20852163", "+20852163"),
        CHECKPOINT.text().replace("20852163", "-1"),
        CHECKPOINT.text().replace("20852163", "20852163 "),
        CHECKPOINT.text().replace("20852163", "\u0662"),
        CHECKPOINT.text().replace("20852163", "9" * 19),
        CHECKPOINT.text().replace("20852163", "0"),
        CHECKPOINT.text().replace("c=\n", "d=\n"),
        CHECKPOINT.text().replace("c=\n", "c\n"),
        CHECKPOINT.text() + "an extension\n",
        CHECKPOINT.text().rstrip("\n"),
        CHECKPOINT.text().replace("\n", "\r\n"),
        CHECKPOINT.text().removeprefix("example.com/log"),
        Checkpoint("x", 1, EMPTY_ROOT).text(),
        Checkpoint("x", 1, b"\x07" * 31).text(),
        "",
    ],
)
def test_what_is_nearly_a_checkpoint_is_none(wrong: str) -> None:
    assert wrong != CHECKPOINT.text()
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(wrong)


@given(size=st.integers(1, 2**62), root=st.binary(min_size=32, max_size=32).filter(lambda root: root != EMPTY_ROOT))
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("seatledger/x/1", size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


@given(at=st.integers(0, len(NOTE) - 1), put=st.characters())
def test_one_character_makes_another_note_or_none(at: int, put: str) -> None:
    changed = NOTE[:at] + put + NOTE[at + 1 :]
    try:
        opened = open_note(changed, KEYS)
    except NoteInvalid:
        return
    # A line whose name or key id was changed is another's, of whom nothing is known here.
    assert opened.text == CHECKPOINT.text()
    assert set(opened.signed) <= set(open_note(NOTE, KEYS).signed)
