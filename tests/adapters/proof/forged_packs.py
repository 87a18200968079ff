"""Packs that were changed: anywhere in the file, or in a member whose checksum was made to fit again."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from adapters.proof.export_pack import Asked
from adapters.proof.verify_pack import NotVerified
from projections.audit.leaf import event_in, leaf_of
from projections.audit.merkle import leaf_hash
from projections.audit.tiles import root_above
from tests.adapters.proof.logs import EVENTS, OTHER_LOG, SIZE, SIZES, checkpoint_of, note, signed
from tests.adapters.proof.packs import (
    LAST,
    MemoryReads,
    exported,
    is_true,
    items_of,
    members_of,
    packed,
    verified,
)
from tests.projections.sealed_history import ORGANIZATIONS, rechained

Members = dict[str, bytes]
PROVEN = ("manifest.json", "checkpoint", "checkpoints", "entries")  # of the rest, nothing is claimed


class Outcome(NamedTuple):
    """What became of a forged pack; `accepted`: it was verified, and what was found in it is true all the same."""

    how: str
    accepted: bool


class Accepted(AssertionError):
    """Says which forgery was taken for the truth."""


@cache
def originals() -> list[bytes]:
    middle = Asked(first=EVENTS[40].position, last=EVENTS[90].position)
    wanted = [Asked(), Asked(last=LAST), middle, *(Asked(organization_id=one) for one in ORGANIZATIONS)]
    return [exported(one, MemoryReads(SIZE, (63, 100)))[0] for one in wanted]


def forge(chance: random.Random) -> Outcome:
    """Changes a pack and asks the verifier; raises Accepted where it takes for true what is not."""
    original = chance.choice(originals())
    how, change = chance.choice(WAYS)
    pack = change(original, chance)
    if pack == original:
        return Outcome(how, accepted=False)
    try:
        found = verified(pack, note(63)) if chance.random() < 0.1 else verified(pack)
    except NotVerified:
        return Outcome(how, accepted=False)
    if not is_true(found, pack):
        raise Accepted(f"{how}: {list(found.lines())}")
    return Outcome(how, accepted=True)


# Anywhere in the file.


def flipped(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return b"\n"
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def spliced(content: bytes, chance: random.Random) -> bytes:
    """Without some bytes, with some more, or with some twice."""
    start = chance.randrange(len(content) + 1)
    end = min(len(content), start + chance.choice((1, 2, 5, 34, 200)))
    put = chance.choice((b"", content[start:end] * 2, chance.randbytes(end - start), b"\0" * chance.randrange(40)))
    return content[:start] + put + content[end:]


def lengthened(content: bytes, chance: random.Random) -> bytes:
    """Some four or eight bytes say an absurd number."""
    absurd = chance.choice((b"\xff" * 4, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 3, b"\0" * 4))
    start = chance.randrange(max(1, len(content) - len(absurd)))
    return content[:start] + absurd + content[start + len(absurd) :]


ANYWHERE: list[Callable[[bytes, random.Random], bytes]] = [flipped, cut, spliced, lengthened]


# Within a member, whose checksum fits again.


def in_a_member(change: Callable[[bytes, random.Random], bytes]) -> Callable[[bytes, random.Random], bytes]:
    def changed(pack: bytes, chance: random.Random) -> bytes:
        members = members_of(pack)
        name = chance.choice(PROVEN)
        return packed({**members, name: change(members[name], chance)})

    return changed


def reordered(pack: bytes, chance: random.Random) -> bytes:
    """Members in another order, one too few, or one too many."""
    members = list(members_of(pack).items())
    name, content = members.pop(chance.randrange(len(members)))
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        members.insert(chance.randrange(len(members) + 1), (chance.choice((name, name, f"{name}2", "")), content))
    return packed(members)


def of_another_pack(pack: bytes, chance: random.Random) -> bytes:
    other = members_of(chance.choice(originals()))
    name = chance.choice(PROVEN)
    return packed({**members_of(pack), name: other[name]})


def of_another_size(pack: bytes, chance: random.Random) -> bytes:
    """A checkpoint that the log did sign, of a smaller tree; the manifest says so too."""
    members = members_of(pack)
    told = json.loads(members["manifest.json"])
    told["size"] = size = chance.choice((1, 63, 64, 100, 149))
    told["end"] = min(told["end"], size)
    return packed({**members, "manifest.json": canonical(told), "checkpoint": note(size).encode()})


def by_another_key(pack: bytes, chance: random.Random) -> bytes:
    """Whoever rewrites an organization with all its hashes has to sign it, and has not the key."""
    victim = chance.choice(ORGANIZATIONS)
    events = [
        event_in(leaf_of(event).replace(b'"total"', b'"TOTAL"')) if event.organization_id == victim else event
        for event in EVENTS
    ]
    items = [b"\0" + len(leaf).to_bytes(4, "big") + leaf for leaf in map(leaf_of, rechained(events, victim))]
    text = checkpoint_of(SIZE)._replace(root=root_above(leaf_hash(item[5:]) for item in items)).text()
    lines = note(chance.choice(SIZES)).partition("\n\n")[2]  # of the right key, and of another text
    checkpoint = chance.choice((note(), signed(checkpoint_of(SIZE), OTHER_LOG), f"{text}\n{lines}")).encode()
    members = members_of(originals()[0])
    assert pack
    return packed({**members, "entries": b"".join(items), "checkpoint": checkpoint, "checkpoints": b""})


def with_another_claim(pack: bytes, chance: random.Random) -> bytes:
    """A manifest of the right form that says something else."""
    members = members_of(pack)
    told = json.loads(members["manifest.json"])
    name = chance.choice(("what", "start", "end", "size", "organization_id", "origin", "format"))
    told[name] = {
        "what": chance.choice(("all", "range", "organization", "ALL", "")),
        "start": chance.choice((0, 1, told["start"] + 1, told["start"] - 1, -1, told["end"])),
        "end": chance.choice((told["end"] - 1, told["end"] + 1, 0, 1 << 63, 1 << 70)),
        "size": chance.choice((told["size"] - 1, told["size"] + 1, 0)),
        "organization_id": chance.choice(("", ORGANIZATIONS[0].hex, ORGANIZATIONS[1].hex, "g" * 32, 7)),
        "origin": chance.choice(("", "seatledger/other/1", told["origin"] + "\n", None)),
        "format": "seatledger-pack/2",
    }[name]
    return packed({**members, "manifest.json": canonical(told)})


def among_the_items(pack: bytes, chance: random.Random) -> bytes:
    """An item less, twice, elsewhere, exchanged, or left out for its hash."""
    members = members_of(pack)
    items = items_of(members["entries"])
    first, second = chance.randrange(len(items)), chance.randrange(len(items))
    way = chance.randrange(6)
    if way == 0:
        del items[first]
    elif way == 1:
        items.insert(second, items[first])
    elif way == 2:
        items[first], items[second] = items[second], items[first]
    elif way == 3:
        items.insert(second, items.pop(first))
    elif way == 4:
        items[first] = b"\1" + bytes([chance.choice((0, 0, 1, 62, 63, 255))]) + chance.randbytes(32)
    else:
        items[first] = event_changed(items[first], chance)
    return packed({**members, "entries": b"".join(items)})


def event_changed(item: bytes, chance: random.Random) -> bytes:
    """A bit of an item, but not of its length."""
    changed = bytearray(item)
    changed[chance.randrange(5 if item[0] == 0 else 1, len(item))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def signature_changed(pack: bytes, chance: random.Random) -> bytes:
    """Letters, lines and signatures of the checkpoint."""
    members = members_of(pack)
    lines = members["checkpoint"].decode().split("\n")
    place = chance.randrange(len(lines))
    lines[place] = chance.choice(
        (
            lines[place].swapcase(),
            lines[place] + " ",
            lines[place].replace("\u2014", "-"),
            lines[place].replace("=", ""),
            lines[place].replace("+", "-"),
            f"0{lines[place]}",
            f"+{lines[place]}",
            f"{lines[place]}\n{lines[place]}",
            b64encode(chance.randbytes(32)).decode(),
            "",
        )
    )
    return packed({**members, "checkpoint": "\n".join(lines).encode()})


def canonical(told: object) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def ways() -> Iterator[tuple[str, Callable[[bytes, random.Random], bytes]]]:
    for change in ANYWHERE:
        yield f"file {change.__name__}", change
        yield f"member {change.__name__}", in_a_member(change)
    structured = (reordered, of_another_pack, of_another_size, by_another_key, with_another_claim)
    for change in (*structured, among_the_items, among_the_items, signature_changed):
        yield change.__name__, change


WAYS = list(ways())
