"""A witness cosigns what grows, says loudly what does not, and after a kill anywhere knows what it cosigned."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, NoteInvalid, note_of
from adapters.proof.proofs import ConsistencyProof
from adapters.proof.trust import Trust
from adapters.proof.witness import Cosigned, Witness, WitnessRefused, with_line
from adapters.proof.witness_key import key_in, made_key, read_key, written
from tests.adapters.proof.logs import (
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG,
    SIGNED_AT,
    SIZE,
    SIZES,
    TRUST,
    WITNESS,
    checkpoint_of,
    consistency,
    node,
    note,
    signed,
)

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MINE = Trust.of([LOG_KEY, WITNESS.verifying(COSIGNATURE)], at_least=1)


class Showing:
    """A log that shows a checkpoint, and a proof of whatever it is asked for."""

    def __init__(self, shown: str, proof: ConsistencyProof | None = None) -> None:
        self.note, self.proof = shown, proof

    def latest(self) -> str:
        return self.note

    def growth(self, earlier: int, size: int) -> ConsistencyProof:
        return self.proof or consistency(earlier, size)


def the_witness(folder: Path, at: datetime = NOW) -> Witness:
    return Witness(WITNESS, TRUST, folder / "state", lambda: at)


def cosigns(folder: Path, shown: str, **more: bool) -> Cosigned:
    return the_witness(folder).cosign(Showing(shown), **more)


def refuses(folder: Path, shown: Showing) -> str:
    kept = (folder / "state").read_text()
    with pytest.raises(WitnessRefused) as refused:
        the_witness(folder).cosign(shown)
    assert (folder / "state").read_text() == kept
    return str(refused.value)


def test_it_cosigns_a_tree_that_grows(tmp_path: Path) -> None:
    for number, size in enumerate(SIZES):
        done = cosigns(tmp_path, note(size), first=number == 0)
        assert (tmp_path / "state").read_text() == done.note
        trusted = MINE.opened(done.note)
        assert trusted.checkpoint == checkpoint_of(size)
        assert trusted.witnesses == {WITNESS.name: int(NOW.timestamp())}
        assert done.note.count(WITNESS.name) == 1  # in place of the one that the log showed
    assert done.before
    assert done.before.checkpoint.size == SIZES[-2]
    assert cosigns(tmp_path, note()).trusted.checkpoint == checkpoint_of(SIZE)  # once more, which changes nothing


def test_it_says_how_long_the_log_was_silent(tmp_path: Path) -> None:
    later = datetime.fromtimestamp(SIGNED_AT, UTC) + timedelta(hours=3)
    assert the_witness(tmp_path, later).cosign(Showing(note()), first=True).silent_s == 3 * 3600
    assert the_witness(tmp_path / "x").cosign(Showing(note()), first=True).silent_s == 0  # by a clock that is behind


def test_a_log_whose_time_was_stripped_off_is_not_fresh(tmp_path: Path) -> None:
    text = checkpoint_of(9).text()
    assert the_witness(tmp_path).cosign(Showing(note_of(text, LOG.sign(text))), first=True).silent_s is None


def refused_in(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.glob("state.*.refused")}


def test_a_smaller_tree_is_refused_and_kept_as_evidence(tmp_path: Path) -> None:
    cosigns(tmp_path, note(100), first=True)
    said = refuses(tmp_path, Showing(note(64)))
    assert said.startswith("the log does not show that it grew from what was cosigned: its tree has 64 leaves")
    assert "CONTRADICTS" not in said  # whoever shows an old one need not be the log
    refuses(tmp_path, Showing(note(63)))
    assert refused_in(tmp_path) == {note(64), note(63)}
    assert cosigns(tmp_path, note(149)).trusted.checkpoint.size == 149


def test_another_tree_of_the_same_size_is_refused(tmp_path: Path) -> None:
    cosigns(tmp_path, note(64), first=True)
    another = signed(Checkpoint(ORIGIN, 64, node(6, 1)))
    for shown in (another, another.replace(another.splitlines()[-1] + "\n", "")):
        said = refuses(tmp_path, Showing(shown))
        assert said.startswith("THE LOG CONTRADICTS ITSELF: its tree of 64 leaves is not the one that was cosigned")
        assert refused_in(tmp_path) == {another}  # the first is not overwritten


def test_a_larger_tree_with_another_beginning_is_refused(tmp_path: Path) -> None:
    rewritten = signed(Checkpoint(ORIGIN, 64, node(6, 1)))
    cosigns(tmp_path, rewritten, first=True)
    assert "nothing shows that its tree of 150 leaves begins" in refuses(tmp_path, Showing(note()))


def test_a_proof_of_something_else_is_refused(tmp_path: Path) -> None:
    cosigns(tmp_path, note(64), first=True)
    for proof in (consistency(63), consistency(64, 149), consistency(64, 64), ConsistencyProof(64, (), note())):
        assert "nothing shows" in refuses(tmp_path, Showing(note(), proof))


def test_what_the_log_did_not_sign_is_not_even_evidence(tmp_path: Path) -> None:
    cosigns(tmp_path, note(64), first=True)
    for forged in (signed(checkpoint_of(100), log=OTHER_LOG), note(100).replace("\n100\n", "\n101\n"), "", "\n\n"):
        with pytest.raises(NoteInvalid):
            the_witness(tmp_path).cosign(Showing(forged))
    assert not refused_in(tmp_path)


def test_a_log_of_another_name_is_another_log(tmp_path: Path) -> None:
    cosigns(tmp_path, note(64), first=True)
    forked = f"{ORIGIN[:-1]}2"
    log = OTHER_LOG.from_seed(forked, b"k" * 32)
    both = Trust.of([LOG_KEY, log.verifying()])
    shown = Showing(signed(Checkpoint(forked, 100, checkpoint_of(100).root), log=log))
    with pytest.raises(WitnessRefused, match="after a fork of the ledger"):
        Witness(WITNESS, both, tmp_path / "state", lambda: NOW).cosign(shown)


def test_a_state_that_is_lost_or_is_another_one_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(WitnessRefused, match="say --first if nothing"):
        cosigns(tmp_path, note(64))
    cosigns(tmp_path, note(64), first=True)
    with pytest.raises(WitnessRefused, match="leave --first out"):
        cosigns(tmp_path, note(1), first=True)
    for content in (note(64), "", signed(checkpoint_of(64)), "\udcff".encode("utf-8", "surrogateescape")):
        raw = content if isinstance(content, bytes) else content.replace(WITNESS.name, "x").encode()
        (tmp_path / "state").write_bytes(raw)
        with pytest.raises(WitnessRefused, match="is not what this key cosigned"):
            cosigns(tmp_path, note(149))


def test_a_clock_that_went_back_signs_nothing(tmp_path: Path) -> None:
    cosigns(tmp_path, note(64), first=True)
    with pytest.raises(WitnessRefused, match="the clock is behind"):
        the_witness(tmp_path, NOW - timedelta(seconds=1)).cosign(Showing(note(100)))


def test_a_line_is_put_in_the_place_of_an_earlier_one() -> None:
    dashed = WITNESS.from_seed("odd\u2014", b"7" * 32)
    text, known = checkpoint_of(9).text(), [LOG_KEY, dashed.verifying(COSIGNATURE)]
    once = with_line(note(9), known, dashed, dashed.cosign(text, 1))
    assert once.count(dashed.name) == 1
    again = with_line(once, known, dashed, dashed.cosign(text, 2))
    assert (again.count(dashed.name), len(again)) == (1, len(once))


def test_lines_of_strangers_are_not_kept(tmp_path: Path) -> None:
    strangers = "".join(f"\u2014 stranger{number} AAAAAAAA\n" for number in range(98))
    text = checkpoint_of(64).text()
    for first in (True, False):
        done = cosigns(tmp_path, note_of(text, LOG.sign(text), LOG.cosign(text, SIGNED_AT), strangers), first=first)
        assert "stranger" not in done.note
        assert MINE.opened(done.note).signed_at == SIGNED_AT


def test_a_key_is_read_as_it_was_written(tmp_path: Path) -> None:
    text = made_key("auditor.example/ana")
    key = key_in(text)
    assert (key.name, written(key)) == ("auditor.example/ana", text)
    assert written(key_in(made_key("b"))) != made_key("b")
    file = tmp_path / "witness"
    file.write_text(text)
    file.chmod(0o640)
    with pytest.raises(NoteInvalid, match="others may read"):
        read_key(file)
    file.chmod(0o600)
    assert read_key(file).verifying() == key.verifying()
    for wrong in (text.replace("ana", "bob"), text[1:], text[:-2], f"{text}\n", "", "\x00", str(LOG_KEY)):
        with pytest.raises(NoteInvalid):
            key_in(wrong)
    for name in ("with a space", "auditor.example/zoë"):
        with pytest.raises(NoteInvalid):
            made_key(name)


# Killed.


def cosign_until_killed(folder: Path, seed: int) -> None:
    """Each new checkpoint in turn, again and again; what was cosigned is written to a file of its own behind it."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    while True:
        witness = the_witness(folder, datetime.now(UTC))
        size = int((folder / "state").read_text().split("\n")[1]) if (folder / "state").exists() else 0
        later = min(SIZE, size + chance.randint(0, 2))
        shown = Showing(signed(checkpoint_of(max(1, later))))
        done = witness.cosign(shown, first=not witness.state.exists())
        (folder / f"out-{done.trusted.checkpoint.size}").write_text(done.note)


def test_after_a_kill_anywhere_it_knows_at_least_what_it_gave_out(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    chance = random.Random(7)  # noqa: S311 - not a secret
    for number in range(15):
        worker = spawn.Process(target=cosign_until_killed, args=(tmp_path, number))
        worker.start()
        time.sleep(0.01 + chance.random() * 0.08)
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
        if (tmp_path / "state").exists():
            kept = MINE.opened((tmp_path / "state").read_text()).checkpoint
            given = [path for path in tmp_path.glob("out-*") if path.read_text()]
            assert all(MINE.opened(path.read_text()).checkpoint.size <= kept.size for path in given)
    assert kept.size > 1
    for path in tmp_path.glob("out-*"):
        if path.read_text():
            trusted = MINE.opened(path.read_text())
            consistency(trusted.checkpoint.size, kept.size).check(trusted.checkpoint, kept)
