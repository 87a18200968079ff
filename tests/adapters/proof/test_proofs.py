"""Proofs as files: whoever has the log's key and nothing else checks them, and nothing that is nearly one is one."""

from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.proof.check_proof import check_event, check_growth
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import NoteInvalid, SigningKey
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from adapters.proof.trust import Trust
from projections.audit.merkle import ProofInvalid
from tests.adapters.proof.logs import (
    EVENTS,
    LEAVES,
    ORIGIN,
    OTHER_LOG,
    SIGNED_AT,
    SIZE,
    SIZES,
    TRUST,
    WITNESS_KEYS,
    checkpoint_of,
    consistency,
    inclusion,
    node,
    note,
    signed,
    trusted_by,
)

# From C2SP's own description of the format, with a tree of its own in place of the shortened lines there.
AS_DESCRIBED = f"""\
c2sp.org/tlog-proof@v1
extra {b64encode(LEAVES[73]).decode()}
index 73
{{hashes}}

{note()}"""


def test_the_form_is_c2sps() -> None:
    hashes = "\n".join(b64encode(one).decode() for one in inclusion(73).hashes)
    assert inclusion(73).text() == AS_DESCRIBED.format(hashes=hashes)
    assert consistency(100).text().splitlines()[0] == "old 100"
    assert consistency(100).text().endswith(f"\n\n{note()}")


@given(st.sampled_from(SIZES), st.data())
def test_an_event_is_proved_by_the_file_alone(size: int, chosen: st.DataObject) -> None:
    index = chosen.draw(st.integers(0, size - 1))
    text = inclusion(index, size).text()
    proven = check_event(text, TRUST)
    assert (proven.event, proven.leaf_index) == (EVENTS[index], index)
    assert proven.trusted.checkpoint == checkpoint_of(size)
    assert proven.trusted.signed_at == SIGNED_AT
    assert InclusionProof.parse(text).text() == text


@given(st.sampled_from(SIZES), st.sampled_from(SIZES))
def test_a_later_tree_begins_with_the_one_that_was_kept(one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    text = consistency(earlier, later).text()
    grown = check_growth(text, note(earlier), TRUST)
    assert (grown.earlier.checkpoint.size, grown.later.checkpoint.size) == (earlier, later)
    assert ConsistencyProof.parse(text).text() == text


def test_what_was_kept_need_not_be_cosigned() -> None:
    trust = trusted_by(*WITNESS_KEYS, at_least=2)
    grown = check_growth(consistency(64).text(), signed(checkpoint_of(64)), trust)
    assert (len(grown.earlier.witnesses), len(grown.later.witnesses)) == (0, 2)


def test_a_proof_without_the_leaf_proves_the_leaf_that_is_brought() -> None:
    proof = replace(inclusion(9), leaf=None)
    assert InclusionProof.parse(proof.text()) == proof
    proof.check(checkpoint_of(SIZE), LEAVES[9])
    with pytest.raises(ProofInvalid, match="another root"):
        proof.check(checkpoint_of(SIZE), LEAVES[8])
    with pytest.raises(ProofInvalid, match="does not say of which event"):
        check_event(proof.text(), TRUST)


@pytest.mark.parametrize(
    ("passage", "instead"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 73", "index 073"),
        ("index 73", "index +73"),
        ("index 73", "index  73"),
        ("index 73", "index 7\u0663"),
        ("index 73", "index 74"),
        ("index 73", "index 72"),
        ("index 73", "index 9223372036854775808"),
        ("index 73", "index 99999999999999999999"),
        ("index 73\n", ""),
        ("index 73\n", "index 73\n\n"),
        ("extra ", "extra  "),
        ("extra ", "Extra "),
        ("=\n", "\n"),
        ("\n\n", "\n"),
        ("\n", "\r\n"),
    ],
)
def test_what_is_nearly_a_proof_is_none(passage: str, instead: str) -> None:
    text = inclusion(73).text()
    assert passage in text
    with pytest.raises((ProofInvalid, NoteInvalid)):
        check_event(text.replace(passage, instead, 1), TRUST)


def test_trailing_bits_of_base64_are_refused() -> None:
    text = inclusion(73).text()
    line = text.splitlines()[3]
    other = line[:-2] + chr(ord(line[-2]) + 1) + "="
    assert b64decode(other) == b64decode(line)  # a lax reader takes it for the same
    with pytest.raises(ProofInvalid, match="canonical"):
        check_event(text.replace(line, other), TRUST)


def test_a_proof_of_another_tree_is_refused() -> None:
    foreign = replace(inclusion(73), note=signed(checkpoint_of(SIZE), log=OTHER_LOG))
    with pytest.raises(NoteInvalid, match="no key that is trusted here"):
        check_event(foreign.text(), TRUST)
    smaller = replace(inclusion(73), note=note(149))
    with pytest.raises(ProofInvalid):
        check_event(smaller.text(), TRUST)
    with pytest.raises(ProofInvalid, match="begins at size 64"):
        check_growth(consistency(64).text(), note(100), TRUST)


def test_two_trees_of_one_size_and_two_logs_are_not_consistent() -> None:
    rewritten = Checkpoint(checkpoint_of(64).origin, 64, node(6, 1))
    with pytest.raises(ProofInvalid, match="does not begin with"):
        check_growth(consistency(64).text(), signed(rewritten), TRUST)
    with pytest.raises(ProofInvalid, match="two roots"):
        check_growth(consistency(64, 64).text(), signed(rewritten), TRUST)


def test_the_tree_goes_on_after_a_fork_for_whoever_trusts_both_names() -> None:
    forked = SigningKey.from_seed(f"{ORIGIN[:-1]}2", b"2" * 32)
    later = replace(consistency(64), note=signed(checkpoint_of(SIZE)._replace(origin=forked.name), log=forked))
    both = Trust.of([*TRUST.logs, forked.verifying()])
    assert check_growth(later.text(), note(64), both).later.checkpoint.origin == forked.name
    with pytest.raises(NoteInvalid):
        check_growth(later.text(), note(64), TRUST)
    another = SigningKey.from_seed("seatledger/another/1", b"3" * 32)
    foreign = replace(later, note=signed(checkpoint_of(SIZE)._replace(origin=another.name), log=another))
    with pytest.raises(ProofInvalid, match="of two ledgers"):
        check_growth(foreign.text(), note(64), Trust.of([*TRUST.logs, another.verifying()]))


def test_what_is_absurdly_long_is_refused_before_it_is_read() -> None:
    many = "\n".join(["old 1", *["A" * 43 + "="] * 64, "", note()])
    with pytest.raises(ProofInvalid, match="too long"):
        check_growth(many, note(1), TRUST)
    with pytest.raises(ProofInvalid, match="too long"):
        check_event("c2sp.org/tlog-proof@v1\nextra " + "A" * 3_000_000, TRUST)
