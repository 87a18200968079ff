"""No pack that says what is not so is accepted, whatever was changed in it, and none makes the verifier stumble."""

import json
import random
import re
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import pytest

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.export_pack import Asked
from adapters.proof.pack_file import Manifest, event_item, subtree_item
from adapters.proof.verify_pack import NotVerified
from projections.audit.leaf import leaf_of
from projections.audit.merkle import leaf_hash
from projections.audit.tiles import root_above
from tests.adapters.proof.forged_packs import WAYS, canonical, forge
from tests.adapters.proof.logs import EVENTS, ORIGIN, SIZE, note, signed
from tests.adapters.proof.packs import LAST, exported, items_of, members_of, packed, verified
from tests.projections.sealed_history import ORGANIZATIONS, chained

FORGED = 1_500
ALPHABET = ascii_uppercase + ascii_lowercase + digits + "+/"


def test_forged_packs_are_not_accepted() -> None:
    chance = random.Random(20261126)  # noqa: S311 - not a secret
    outcomes = [forge(chance) for _ in range(FORGED)]
    assert {one.how for one in outcomes} == {how for how, _ in WAYS}
    # A range of all is all, and a hash in place of another organization's event is how packs are made: such are true.
    true_ones = Counter(one.how for one in outcomes if one.accepted)
    assert sum(true_ones.values()) < FORGED // 20, true_ones
    assert not [how for how in true_ones if how.startswith("file")], "every byte of the file is accounted for"


@pytest.mark.parametrize("place", [0, 1, 75, 149])
def test_the_event_that_was_changed_is_named(place: int) -> None:
    members = members_of(exported(Asked())[0])
    items = items_of(members["entries"])
    items[place] = items[place][:-1] + b"!"
    with pytest.raises(NotVerified, match=rf"^leaf {place}, position \d+: event \d+ does not fit its chain hash"):
        verified(packed({**members, "entries": b"".join(items)}))


@pytest.mark.parametrize("place", [0, 1, 75])
def test_the_event_behind_the_one_that_is_missing_is_named(place: int) -> None:
    members = members_of(exported(Asked())[0])
    items = items_of(members["entries"])
    del items[place]
    with pytest.raises(NotVerified, match=r"^leaf \d+, position \d+: it is event \d+ of its organization"):
        verified(packed({**members, "entries": b"".join(items)}))


def test_what_stands_behind_the_pack_or_in_front_of_it_is_refused() -> None:
    pack, _ = exported(Asked())
    for changed in (pack + b"\0", b"\0" + pack, pack + pack, b"", pack[:-1]):
        with pytest.raises(NotVerified):
            verified(changed)


def test_nothing_of_it_is_compressed() -> None:
    """So that no small file makes a verifier read, or keep, a large one."""
    pack, _ = exported(Asked())
    deflated = pack.replace(b"PK\x03\x04\x2d\0\0\0\0\0", b"PK\x03\x04\x2d\0\0\0\x08\0")
    with pytest.raises(NotVerified, match=r"README.txt does not begin at byte 0 as in a pack"):
        verified(deflated)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ({"origin": "seatledger/other/1"}, "not those of the log that its manifest names"),
        ({"size": SIZE + 1}, "contradicts itself"),
        ({"size": SIZE + 1, "end": SIZE + 1}, "not those of the log that its manifest names"),
        ({"start": 1}, "contradicts itself"),
        ({"start": -1, "what": "range"}, "contradicts itself"),
        (
            {"end": SIZE - 1, "what": "range"},
            f"leaf {SIZE - 1}, position {LAST}: the manifest says that it is not here",
        ),
        ({"what": "organization"}, "contradicts itself"),
        ({"organization_id": ORGANIZATIONS[0].hex}, "contradicts itself"),
        ({"what": "organization", "organization_id": ORGANIZATIONS[0].hex}, "the manifest says that it is not here"),
        ({"what": "some"}, "contradicts itself"),
        ({"end": True}, "not one of seatledger-pack/1"),
        ({"format": "seatledger-pack/2"}, "a newer pack needs a newer verifier"),
        ({"more": ""}, "not one of seatledger-pack/1"),
    ],
)
def test_what_the_manifest_may_not_claim(claim: dict[str, Any], said: str) -> None:
    members = members_of(exported(Asked())[0])
    changed = canonical(json.loads(members["manifest.json"]) | claim)
    with pytest.raises(NotVerified, match=re.escape(said)):
        verified(packed({**members, "manifest.json": changed}))


@pytest.mark.parametrize(
    "way", [(b",", b", "), (b"{", b'{"what":"range",'), (b"\n", b""), (b"}", b"}}"), (b"{", b"[{")]
)
def test_the_manifest_has_one_form(way: tuple[bytes, bytes]) -> None:
    """Or two programs could read two things in it."""
    members = members_of(exported(Asked())[0])
    changed = members["manifest.json"].replace(*way)
    with pytest.raises(NotVerified, match=r"manifest\.json"):
        verified(packed({**members, "manifest.json": changed}))


def test_positions_that_fall_are_named_also_where_the_log_signed_them() -> None:
    first, second = (next(event for event in EVENTS if event.organization_id == one) for one in ORGANIZATIONS[:2])
    later, earlier = sorted((first, second), key=lambda event: -event.position)
    with pytest.raises(NotVerified, match=rf"^leaf 1, position {earlier.position}: its position does not rise above"):
        verified(signed_pack([event_item(leaf_of(later)), event_item(leaf_of(earlier))]))


def test_a_whole_subtree_begins_where_one_can() -> None:
    members = members_of(exported(Asked(organization_id=EVENTS[0].organization_id))[0])
    items = [event_item(leaf_of(EVENTS[0])), subtree_item(1, bytes(32))]
    with pytest.raises(NotVerified, match="no whole subtree of 2 leaves begins at leaf 1"):
        verified(packed({**members, "entries": b"".join(items)}))


@pytest.mark.parametrize(
    "item",
    [
        b"\2" + bytes(40),
        b"\1" + bytes([63]) + bytes(32),
        b"\0" + b"\xff" * 4 + bytes(40),
        b"\0" + bytes(4),
        b"\0" + (112).to_bytes(4, "big") + bytes(112),
        b"\0" + (200).to_bytes(4, "big") + bytes(200),
        b"\0",
    ],
)
def test_what_is_no_item_of_a_pack(item: bytes) -> None:
    members = members_of(exported(Asked())[0])
    for entries in (item, members["entries"] + item, item + members["entries"]):
        with pytest.raises(NotVerified):
            verified(packed({**members, "entries": entries}))


def test_a_leaf_of_another_form_is_refused_also_where_the_log_signed_it() -> None:
    leaf = leaf_of(EVENTS[0])
    for other in (leaf.replace(b".leaf.1", b".leaf.2"), leaf + b"!", leaf[:-1]):
        with pytest.raises(NotVerified, match="it has not the form of an event"):
            verified(signed_pack([event_item(other)]))
    with pytest.raises(NotVerified, match="leaf 0 is too short to be an event"):
        verified(signed_pack([event_item(leaf[:120])]))


def test_a_signature_of_another_text_is_none() -> None:
    """Whoever rewrites the ledger has its key's name and id, and every signature that was ever published."""
    event = EVENTS[0]
    rewritten = [chained(replace(event, state=b"{}"), None)]
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(leaf_of(rewritten[0])))
    for published in (note(1), note(SIZE)):
        lines = published.partition("\n\n")[2]
        for kept in (lines, lines.splitlines(keepends=True)[0]):
            forged = signed_pack([event_item(leaf_of(one)) for one in rewritten], f"{checkpoint.text()}\n{kept}")
            with pytest.raises(NotVerified, match=f"a signature by {ORIGIN} is wrong"):
                verified(forged)


def test_a_cosignature_tells_no_other_time_than_its_own() -> None:
    members = members_of(exported(Asked())[0])
    lines = members["checkpoint"].decode().split("\n")
    time_line = next(number for number, line in enumerate(lines) if line.startswith(f"\u2014 {ORIGIN}")) + 1
    start, _, encoded = lines[time_line].rpartition(" ")
    blob = bytearray(b64decode(encoded))
    blob[11] ^= 1  # the last byte of the seconds
    lines[time_line] = f"{start} {b64encode(blob).decode()}"
    with pytest.raises(NotVerified, match=f"a signature by {ORIGIN} is wrong"):
        verified(packed({**members, "checkpoint": "\n".join(lines).encode()}))


def test_a_note_is_written_in_one_way() -> None:
    members = members_of(exported(Asked())[0])
    lines = members["checkpoint"].decode().split("\n")
    assert lines[4].endswith("=")
    same_bytes = lines[4][:-2] + ALPHABET[ALPHABET.index(lines[4][-2]) ^ 1] + "="
    assert b64decode(same_bytes.rpartition(" ")[2]) == b64decode(lines[4].rpartition(" ")[2])
    for changed in ([same_bytes], [lines[4], lines[4]]):
        checkpoint = "\n".join([*lines[:4], *changed, *lines[5:]]).encode()
        with pytest.raises(NotVerified, match=r"not signed by a key|signed twice"):
            verified(packed({**members, "checkpoint": checkpoint}))


def test_an_item_of_another_kind_is_no_event() -> None:
    members = members_of(exported(Asked())[0])
    entries = b"\2" + members["entries"][1:]
    with pytest.raises(NotVerified, match="an item of unknown kind"):
        verified(packed({**members, "entries": entries}))


def signed_pack(items: list[bytes], checkpoint: str | None = None) -> bytes:
    """Of these events alone, with the log's signature unless another is given: of a log that is wrong itself."""
    root = root_above(leaf_hash(item[5:]) for item in items)
    checkpoint = checkpoint or signed(Checkpoint(ORIGIN, len(items), root))
    manifest = Manifest(ORIGIN, len(items), "all", 0, len(items), None, "", "")
    told = {"manifest.json": manifest.content(), "keys.txt": b"", "checkpoint": checkpoint.encode(), "checkpoints": b""}
    return packed({"README.txt": b"", **told, "entries": b"".join(items)})
