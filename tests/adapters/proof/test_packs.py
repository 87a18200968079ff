"""A pack is verified as what it is, by code that shares nothing with what wrote it."""

import io
import subprocess
import sys
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.proof import verify_pack
from adapters.proof.export_pack import Asked, NothingSealed, PackRefused
from adapters.proof.notes import COSIGNATURE, SigningKey, note_of
from adapters.proof.verify_pack import NotVerified, main
from tests.adapters.proof.logs import (
    EVENTS,
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG,
    SIZE,
    SIZES,
    WITNESS,
    WITNESS_KEYS,
    checkpoint_of,
    note,
    signed,
)
from tests.adapters.proof.packs import KEY, LAST, MemoryReads, exported, is_true, items_of, members_of, packed, verified
from tests.projections.sealed_history import ORGANIZATIONS

EVERYTHING = Asked()
WITNESSES = [verify_pack.key_of(str(key), verify_pack.WITNESS) for key in WITNESS_KEYS]


def test_a_pack_of_everything() -> None:
    pack, done = exported(EVERYTHING, MemoryReads(daily_sizes=(63, 100)))
    found = verified(pack)
    assert (done.events, done.checkpoints, done.not_sealed) == (SIZE, 2, 0)
    assert (found.ledger.events, len(found.ledger.chains), found.earlier) == (SIZE, 3, 2)
    assert (found.ledger.first, found.ledger.position) == (EVENTS[0].position, LAST)
    assert not found.by_own_keys
    assert is_true(found, pack)


def test_what_is_not_sealed_yet_is_counted_and_left_out() -> None:
    pack, done = exported(EVERYTHING, MemoryReads(100))
    assert (done.events, done.not_sealed) == (100, SIZE - 100)
    assert verified(pack).ledger.events == 100
    of_one = Asked(organization_id=ORGANIZATIONS[0])
    later = sum(event.organization_id == ORGANIZATIONS[0] for event in EVENTS[100:])
    assert exported(of_one, MemoryReads(100))[1].not_sealed == later > 0


def test_a_range_of_positions_shows_no_more_than_that() -> None:
    pack, done = exported(Asked(first=EVENTS[40].position, last=EVENTS[49].position))
    found = verified(pack)
    assert (done.events, found.ledger.events, found.ledger.start, found.ledger.end) == (10, 10, 40, 50)
    assert len(items_of(members_of(pack)["entries"])) < 10 + 2 * 8
    assert is_true(found, pack)


def test_an_organizations_pack_shows_its_events_and_hashes_of_the_others() -> None:
    for organization_id in ORGANIZATIONS:
        pack, _ = exported(Asked(organization_id=organization_id))
        found = verified(pack)
        own = [event for event in EVENTS if event.organization_id == organization_id]
        assert (found.ledger.events, found.ledger.chains[organization_id.bytes][0]) == (len(own), len(own))
        others = [one.bytes for one in ORGANIZATIONS if one != organization_id]
        assert not any(one in members_of(pack)["entries"] for one in others)
        assert is_true(found, pack)


def test_what_nothing_is_sealed_of_is_refused() -> None:
    for asked in (
        Asked(organization_id=UUID(int=9)),
        Asked(first=LAST + 1),
        Asked(first=9, last=8),
    ):
        with pytest.raises(NothingSealed):
            exported(asked)
    with pytest.raises(PackRefused, match="150 events, more than 149"):
        exported(Asked(most=149))


def test_checkpoints_that_an_auditor_kept() -> None:
    whole, _ = exported(EVERYTHING)
    assert verified(whole, *(note(size) for size in SIZES)).kept == len(SIZES)
    of_one = Asked(organization_id=ORGANIZATIONS[1])
    with pytest.raises(NotVerified, match=r"left out in one.*export --checkpoint"):
        verified(exported(of_one)[0], note(63))
    cut, _ = exported(Asked(organization_id=ORGANIZATIONS[1], cuts=(63,)))
    assert verified(cut, note(63)).kept == 1


def test_a_ledger_that_is_smaller_or_another_than_the_one_that_was_kept() -> None:
    with pytest.raises(NotVerified, match="of 150 leaves, and the pack has 100: it is older, or was cut off"):
        verified(exported(EVERYTHING, MemoryReads(100))[0], note(150))
    another = checkpoint_of(100)._replace(root=checkpoint_of(99).root)
    whole, _ = exported(EVERYTHING, MemoryReads(daily_sizes=(63,)))
    with pytest.raises(NotVerified, match="the first difference is among leaves 63 to 99"):
        verified(whole, signed(another))


def test_who_must_have_signed() -> None:
    pack, _ = exported(EVERYTHING)
    stranger = verify_pack.key_of(str(OTHER_LOG.verifying()))
    with pytest.raises(NotVerified, match="not signed by a key"):
        verified(pack, keys=[stranger])
    assert verified(pack, keys=[stranger, KEY])
    assert verify_pack.verify(io.BytesIO(pack), keys=[KEY], witnesses=WITNESSES)
    absent = WITNESSES[0]._replace(name="absent.example", public=b"\x07" * 32)
    for require in (None, 3):
        with pytest.raises(NotVerified, match="cosigned by 2 of the witnesses, and it takes 3"):
            verify_pack.verify(io.BytesIO(pack), keys=[KEY], witnesses=[*WITNESSES, absent], require=require)
    assert verify_pack.verify(io.BytesIO(pack), keys=[KEY], witnesses=[*WITNESSES, absent], require=2)


def test_one_key_under_two_names_is_one_witness_and_the_log_is_none() -> None:
    text = checkpoint_of(SIZE).text()
    twin = SigningKey("another.example/name", WITNESS.private)
    members = members_of(exported(EVERYTHING)[0])
    lines = [LOG.sign(text), WITNESS.cosign(text, 1), twin.cosign(text, 1)]
    pack = packed(members | {"checkpoint": note_of(text, *lines).encode()})
    both = [verify_pack.key_of(str(key.verifying(COSIGNATURE)), verify_pack.WITNESS) for key in (WITNESS, twin)]
    with pytest.raises(NotVerified, match="cosigned by 1 of the witnesses, and it takes 2"):
        verify_pack.verify(io.BytesIO(pack), keys=[KEY], witnesses=both, require=2)
    assert verify_pack.verify(io.BytesIO(pack), keys=[KEY], witnesses=both)
    for itself in (KEY._replace(kind=verify_pack.WITNESS), both[0]._replace(name=KEY.name)):
        with pytest.raises(NotVerified, match="a witness of themselves"):
            verify_pack.verify(io.BytesIO(exported(EVERYTHING)[0]), keys=[KEY], witnesses=[itself], require=1)


def test_a_log_that_does_not_say_when_is_told() -> None:
    text = checkpoint_of(SIZE).text()
    members = members_of(exported(EVERYTHING)[0])
    stripped = packed(members | {"checkpoint": note_of(text, LOG.sign(text)).encode()})
    assert any(line.endswith("; the log does not say when") for line in verified(stripped).lines())
    assert not any("does not say" in line for line in verified(packed(members)).lines())


def test_its_own_keys_prove_nothing_and_it_says_so() -> None:
    found = verified(exported(EVERYTHING)[0], keys=())
    assert found.by_own_keys
    assert any(line.startswith("NOT PROVEN") for line in found.lines())
    assert "VERIFIED" not in list(found.lines())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SIZES),
    st.sets(st.sampled_from(SIZES)),
    st.sets(st.integers(1, SIZE)),
    st.one_of(
        st.just(EVERYTHING),
        st.builds(Asked, first=st.integers(0, LAST + 1), last=st.integers(0, LAST + 1)),
        st.builds(Asked, organization_id=st.sampled_from(ORGANIZATIONS)),
    ),
)
def test_both_implementations_agree(size: int, daily: set[int], cuts: set[int], asked: Asked) -> None:
    asked = Asked(asked.first, asked.last, asked.organization_id, tuple(cuts))
    try:
        pack, done = exported(asked, MemoryReads(size, tuple(daily)))
    except NothingSealed:
        return
    kept = [note(one) for one in SIZES if one <= size and (one in cuts or one in daily)]
    found = verified(pack, *kept)
    assert (found.ledger.events, found.earlier) == (done.events, done.checkpoints)
    assert is_true(found, pack)


def test_any_tool_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "contoso.pack"
    path.write_bytes(exported(EVERYTHING)[0])
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(verify_pack.MEMBERS)
        assert archive.read("checkpoint").decode() == note()
        assert archive.read("keys.txt").decode() == f"{LOG_KEY}\n"


def test_the_verifier_works_where_nothing_of_the_product_is(tmp_path: Path) -> None:
    assert verify_pack.__file__
    alone = tmp_path / "elsewhere" / "verify_pack.py"
    alone.parent.mkdir()
    alone.write_bytes(Path(verify_pack.__file__).read_bytes())
    (alone.parent / "all.pack").write_bytes(exported(EVERYTHING)[0])
    (alone.parent / "kept").write_text(note(100), "utf-8")

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-I", alone.name, *words]  # -I: not even the present folder is looked into
        done = subprocess.run(command, cwd=alone.parent, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = run("all.pack", "--key", str(LOG_KEY), "--checkpoint", "kept", "--witness", str(WITNESS_KEYS[0]))
    assert (code, said.splitlines()[-1]) == (0, "VERIFIED"), said
    assert run("all.pack")[0] == 4
    assert run("all.pack", "--key", str(OTHER_LOG.verifying()))[0] == 1
    assert run("missing.pack", "--key", str(LOG_KEY)) == (3, "missing.pack cannot be read: No such file or directory\n")
    assert run("all.pack", "--key", str(LOG_KEY)[:-3])[0] == 2
    (alone.parent / "kept").write_text("", "utf-8")
    code, said = run("all.pack", "--key", str(LOG_KEY), "--checkpoint", "kept")
    assert (code, said) == (1, "NOT VERIFIED: kept: not one signed checkpoint, but 0\n")


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "0 verified; 1 not verified, it says why; 2 bad arguments; 3 a file cannot be read; 4 without --key" in said


def test_names_with_which_a_log_is_called() -> None:
    assert KEY.name == ORIGIN
    wrong_id = str(LOG_KEY).replace(f"+{LOG_KEY.key_id.hex()}+", "+00000000+")
    for wrong in (wrong_id, "", "a", "a+b+c", f"{LOG_KEY} ", str(LOG_KEY).replace("+", "-", 1), f"é{LOG_KEY}"):
        with pytest.raises(NotVerified):
            verify_pack.key_of(wrong)
