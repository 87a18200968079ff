"""Proofs, checkpoints, notes, cosignatures and keys that were changed by chance, and whether one is taken for true."""

from __future__ import annotations

import random
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from adapters.proof.check_proof import check_event, check_growth
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, NoteInvalid, SigningKey, VerifyingKey, note_of, open_note
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from adapters.proof.trust import Trust, Trusted
from adapters.proof.witness_key import key_in, written
from projections.audit.leaf import leaf_of
from projections.audit.merkle import ProofInvalid
from tests.adapters.proof.changed_texts import cut, lines_mixed, one_bit, one_letter, other_base64, other_unicode
from tests.adapters.proof.logs import (
    COSIGNED_AT,
    EVENTS,
    LEAVES,
    LOG,
    LOG_KEY,
    OTHER_LOG,
    SECOND,
    SIGNED_AT,
    SIZE,
    SIZES,
    WITNESS,
    WITNESS_KEYS,
    checkpoint_of,
    consistency,
    inclusion,
    node,
    note,
)

REFUSED = (NoteInvalid, ProofInvalid)
TRUST = Trust.of([LOG_KEY, *WITNESS_KEYS])
CAREFUL = Trust.of([LOG_KEY, *WITNESS_KEYS], at_least=2)
SHORTEST = 12  # bytes: a key id and a time
LINE = re.compile(r"— \S+ \S+\n")


class Target(NamedTuple):
    """Something that is read and believed: what is genuine of it, and what is wrong with a reading, if anything."""

    genuine: Callable[[random.Random], str]
    wrong: Callable[[str], str | None]  # raises one of REFUSED


# What may be believed: the truth, in its one spelling. Nobody reads what strangers add to a note.


def wrong_note(text: str) -> str | None:
    opened = open_note(text, [LOG_KEY, VerifyingKey(LOG.name, COSIGNATURE, LOG_KEY.public)])
    return wrong_signatures(text, opened.text, len(opened.signed))


def wrong_checkpoint(text: str) -> str | None:
    trusted = TRUST.opened(text)
    return wrong_trusted(text, trusted)


def wrong_cosigned(text: str) -> str | None:
    return wrong_trusted(text, CAREFUL.opened(text))


def wrong_trusted(text: str, trusted: Trusted) -> str | None:
    checkpoint = trusted.checkpoint
    if checkpoint.size not in SIZES or checkpoint != checkpoint_of(checkpoint.size):
        return f"a tree that is none: {checkpoint}"
    if trusted.signed_at not in {None, SIGNED_AT} or set(trusted.witnesses.values()) - {COSIGNED_AT}:
        return f"a time at which nobody signed: {trusted}"
    return wrong_signatures(text, checkpoint.text(), 0)


def wrong_signatures(text: str, body: str, signed_by: int) -> str | None:
    """Each line that counts is one that was written by its key, byte by byte."""
    genuine = [note(size) for size in SIZES if note(size).startswith(body)]
    if not text.startswith(f"{body}\n") or not genuine or not genuine[0].startswith(f"{body}\n"):
        return f"a text that nobody signed: {body!r}"
    lines = set(LINE.findall(genuine[0]))
    found = [line for line in text[len(body) + 1 :].split("\n")[:-1] if f"{line}\n" in lines]
    return None if found and len(found) >= signed_by else "signatures in another spelling than they were written in"


def wrong_inclusion(text: str) -> str | None:
    proven = check_event(text, TRUST)
    if EVENTS[proven.leaf_index] != proven.event:
        return f"an event that is not leaf {proven.leaf_index}"
    size = proven.trusted.checkpoint.size
    head, _, tail = text.partition("\n\n")
    if head != inclusion(proven.leaf_index, size).text().partition("\n\n")[0]:
        return "a proof in another spelling"
    return wrong_trusted(tail, proven.trusted)


def wrong_growth(text: str) -> str | None:
    old = re.match(r"old (\d+)", text)
    grown = check_growth(text, note(int(old[1]) if old and int(old[1]) in SIZES else 64), TRUST)
    earlier, later = grown.earlier.checkpoint.size, grown.later.checkpoint.size
    head, _, tail = text.partition("\n\n")
    if later not in SIZES or head != consistency(earlier, later).text().partition("\n\n")[0]:
        return "a proof in another spelling"
    return wrong_trusted(tail, grown.later)


def wrong_key(text: str) -> str | None:
    key = VerifyingKey.parse(text)
    return None if str(key) == text else "a key in another spelling"


def wrong_secret(text: str) -> str | None:
    return None if written(key_in(text)).rstrip("\n") == text.rstrip("\n") else "a secret key in another spelling"


TARGETS: Mapping[str, Target] = {
    "note": Target(lambda chance: note(chance.choice(SIZES)), wrong_note),
    "checkpoint": Target(lambda chance: note(chance.choice(SIZES)), wrong_checkpoint),
    "cosigned checkpoint": Target(lambda chance: note(chance.choice(SIZES)), wrong_cosigned),
    "inclusion": Target(lambda chance: any_inclusion(chance).text(), wrong_inclusion),
    "consistency": Target(lambda chance: any_growth(chance).text(), wrong_growth),
    "key": Target(lambda chance: str(chance.choice([LOG_KEY, *WITNESS_KEYS])), wrong_key),
    "secret key": Target(lambda chance: written(chance.choice([WITNESS, SECOND])), wrong_secret),
}


def any_inclusion(chance: random.Random) -> InclusionProof:
    size = chance.choice(SIZES)
    return inclusion(chance.randrange(size), size)


def any_growth(chance: random.Random) -> ConsistencyProof:
    earlier, later = sorted(chance.choices(SIZES, k=2))
    return consistency(earlier, later)


# How it is changed: the text as text, the numbers and hashes in it, and what somebody makes who knows how it is made.


def other_line(text: str, chance: random.Random) -> str:
    """A line of another genuine thing in the place of the same one."""
    other = TARGETS[chance.choice(list(TARGETS))].genuine(chance).split("\n")
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    lines[at] = other[min(at, len(other) - 1)] if chance.random() < 0.7 else chance.choice(other)
    return "\n".join(lines)


def other_tail(text: str, chance: random.Random) -> str:
    """The checkpoint, or the signatures, of another genuine thing."""
    return text.rpartition("\n\n")[0] + "\n\n" + note(chance.choice(SIZES)).rpartition("\n\n")[2]


def other_number(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"(?<![\w/+])\d+(?![\w/+])", text))
    if not found:
        return text
    one = chance.choice(found)
    number = int(one[0])
    spelled = [
        *(str(number + by) for by in (-1, 1, 64, 2**32, 2**64)),
        *(
            f"0{number}",
            f"+{number}",
            f"-{number}",
            f"{number}.0",
            f"{number}_0",
            hex(number),
            f" {number}",
            f"{number} ",
        ),
        *(str(chance.choice(SIZES)), str(2**62), str(2**63), "9" * 40, ""),
        "".join(chr(ord(digit) + 0x630) for digit in str(number)),
    ]
    return text[: one.start()] + chance.choice(spelled) + text[one.end() :]


@cache
def strangers(seed: int) -> SigningKey:
    return SigningKey.from_seed(f"stranger.example/{seed}", bytes([seed]) * 32)


def signed_anew(text: str, chance: random.Random) -> str:
    """What somebody makes who has every key but the log's, in the log's name or another's."""
    size = chance.choice(SIZES)
    lie = Checkpoint(
        chance.choice([LOG.name, "seatledger/another/1", LOG.name.upper()]),
        chance.choice([size, size + 1, SIZE * 2]),
        chance.choice([checkpoint_of(size).root, node(0, 3), node(5, 1)]),
    )
    if lie == checkpoint_of(size):
        lie = lie._replace(size=size + 1)
    body = lie.text()
    by_others = [
        strangers(chance.randrange(9)).sign(body),
        OTHER_LOG.sign(body),
        WITNESS.sign(body),
        WITNESS.cosign(body, COSIGNED_AT),
        SECOND.cosign(body, COSIGNED_AT),
        SigningKey(LOG.name, WITNESS.private).sign(body),
        SigningKey(LOG.name, WITNESS.private).cosign(body, SIGNED_AT),
        with_id_of(LOG_KEY, OTHER_LOG.sign(body)),
        with_id_of(WITNESS_KEYS[0], OTHER_LOG.cosign(body, COSIGNED_AT)),
        *LINE.findall(note(size)),
    ]
    forged = note_of(body, *chance.sample(by_others, chance.randint(1, len(by_others))))
    if not text.startswith(("c2sp.org", "old ")):
        return forged
    return text.partition("\n\n")[0] + "\n\n" + forged


def with_id_of(key: VerifyingKey, line: str) -> str:
    """A signature by somebody else under a key's name and id."""
    blob = b64decode(line.split(" ")[2])
    return f"— {key.name} {b64encode(key.key_id + blob[4:]).decode()}\n"


def other_event(text: str, chance: random.Random) -> str:
    """A proof of something that did not happen."""
    if not text.startswith("c2sp.org"):
        return other_line(text, chance)
    proof = any_inclusion(chance)
    event = replace(EVENTS[proof.leaf_index], state=b'{"total":0}')
    other = chance.choice(EVENTS)
    genuine = LEAVES[proof.leaf_index]
    leaf = chance.choice([leaf_of(event), leaf_of(other), genuine[:-1], genuine + b"\0", b"".join(proof.hashes)[:64]])
    return replace(proof, leaf=leaf, leaf_index=chance.choice([proof.leaf_index, chance.randrange(SIZE)])).text()


def line_of_a_stranger(text: str, chance: random.Random) -> str:
    """It may be there, and says nothing."""
    body = text.rpartition("\n\n")[0].rpartition("\n\n")[2] + "\n"
    return text + strangers(chance.randrange(9)).sign(body.encode(errors="replace").decode())


def cosigned_at_another_time(text: str, chance: random.Random) -> str:
    """The time of a cosignature, changed; the signature is of another."""
    lines = list(LINE.finditer(text))
    if not lines:
        return text
    one = chance.choice(lines)
    _, name, encoded = one[0].split(" ")
    try:
        blob = bytearray(b64decode(encoded))
    except ValueError:
        return text
    if len(blob) < SHORTEST:
        return text
    blob[4 + chance.randrange(8)] ^= 1 << chance.randrange(8)
    return text[: one.start()] + f"— {name} {b64encode(blob).decode()}\n" + text[one.end() :]


CHANGES: Sequence[Callable[[str, random.Random], str]] = (
    *(one_bit, one_letter, cut, lines_mixed, other_line, other_tail, other_number, other_base64, other_unicode),
    *(signed_anew, other_event, line_of_a_stranger, cosigned_at_another_time),
)


def forge(times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """So many forgeries: how many of each kind were refused, or said what is true; and what was taken for true."""
    done, complaints = Counter[str](), list[str]()
    names = list(TARGETS)
    for number in range(times):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - not a secret
        name, change = names[number % len(names)], CHANGES[number // len(names) % len(CHANGES)]
        genuine = TARGETS[name].genuine(chance)
        forged = change(genuine, chance)
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            forged = chance.choice(CHANGES)(forged, chance) if forged else forged
        if forged == genuine:
            forged = one_bit(genuine, chance)
        try:
            wrong = TARGETS[name].wrong(forged)
        except REFUSED:
            done[f"{name}: refused"] += 1
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            wrong = f"{type(error).__name__}: {error}"
        done[f"{name}: true all the same"] += 1
        if wrong:
            complaints.append(f"{seed}/{number}, {name}, {change.__name__}: {wrong}")
    return done, complaints
