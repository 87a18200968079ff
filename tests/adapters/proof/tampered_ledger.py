"""Tamperings in a real database: done as its owner, looked at by the audit, and taken back."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from operator import attrgetter

from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import split
from adapters.proof.verify_tree import brought
from domain.envelope import RecordedEvent
from projections.audit.leaf import hash_of
from projections.audit.tiles import root_above
from projections.audit.verify import Difference
from tests.adapters.proof.sealed_ledger import SealedLedger
from tests.adapters.proof.tamperings import Tampering, first_difference, kinds, tampering
from tests.projections.sealed_history import leaves_of, tiles_of

COLUMNS = EVENT_COLUMNS.split(", ")
PLACES = ", ".join(["%s"] * len(COLUMNS))
OWNERS = (
    "SET session_replication_role = replica",
    "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.events DROP CONSTRAINT events_pkey",
    "ALTER TABLE ledger.events DROP CONSTRAINT events_organization_id_organization_seq_key",
)
NUMBERS = re.compile(r"position (\d+)")
WITHIN = re.compile(r"after position (\d+) and up to (\d+)")
BEHIND = re.compile(r"the end of history, after position (\d+), is missing(?:; what stands after position (\d+) may)?")


class Tamperer:
    """The owner of a sealed ledger, in a transaction that is never committed."""

    def __init__(self, ledger: SealedLedger) -> None:
        self.ledger, self.owner = ledger, ledger.owner
        for statement in OWNERS:
            self.owner.execute(statement.encode())

    @cached_property
    def sealed(self) -> list[RecordedEvent]:
        """The events that are sealed, as they were."""
        query = f"SELECT {EVENT_COLUMNS} FROM ledger.events ORDER BY position"  # noqa: S608 - our own words
        events = [RecordedEvent(*row) for row in self.owner.execute(query).fetchall()]
        return events[: Checkpoint.parse(split(self.ledger.notes[-1])[0]).size]

    @contextmanager
    def done(self, what: Tampering) -> Iterator[None]:
        """What was done; it is taken back."""
        before, after = Counter(self.sealed), Counter(what.events)
        with self.owner.transaction(force_rollback=True), self.owner.cursor() as cursor:
            gone = [event.position for event in (before - after)]
            cursor.execute("DELETE FROM ledger.events WHERE position = ANY(%s)", (gone,))
            rows = [attrgetter(*COLUMNS)(event) for event in (after - before).elements()]
            cursor.executemany(f"INSERT INTO ledger.events ({EVENT_COLUMNS}) VALUES ({PLACES})".encode(), rows)  # noqa: S608
            if what.tree == "made anew":
                cursor.execute("DELETE FROM proof.tiles")
                tiles = tiles_of(leaves_of(what.events))
                cursor.executemany("INSERT INTO proof.tiles VALUES (%s, %s, %s, %s)", tiles)
            if what.checkpoints == "those that fit":
                cursor.execute("DELETE FROM proof.checkpoints WHERE size <> ALL(%s)", (self.fitting(what.events),))
            yield

    def fitting(self, events: Sequence[RecordedEvent]) -> list[int]:
        """The sizes of the checkpoints that are also of this history."""
        hashes = [hash_of(event) for event in events]
        signed = [Checkpoint.parse(split(note)[0]) for note in self.ledger.notes]
        return [one.size for one in signed if one.size <= len(hashes) and root_above(hashes[: one.size]) == one.root]

    def found(self, *kept: str) -> list[Difference]:
        """What an auditor finds with the log's key, and these checkpoints from elsewhere."""
        trusted = brought([self.ledger.key], [("kept.txt", note) for note in kept])
        return [one for one in self.ledger.found(trusted)[0] if one.check == "tree"]

    def undetected(self, what: Tampering) -> str | None:
        """Why it was not detected as it should be; None: it was, and its first position was named."""
        first = first_difference(self.sealed, what.events)
        if first is None:
            return "nothing was changed"
        with self.done(what):
            if what.checkpoints == "kept":
                return self.not_named(first, what, self.found())
            if alone := self.found():
                return f"everything was made to fit, and {alone[0]} was found"
            return self.not_named(first, what, self.found(*self.ledger.notes))

    def not_named(self, first: int, what: Tampering, found: Sequence[Difference]) -> str | None:
        """What is wrong with what was found."""
        if not found:
            return "nothing was found"
        if what.tree == "kept":
            named = min(int(number) for one in found for number in NUMBERS.findall(f"{one.key} {one.what}"))
            return None if named == first else f"position {named} was named, and {first} is the first"
        said, sealed = found[0].what, [event.position for event in self.sealed]
        if within := WITHIN.search(said):
            named = int(within[1]) < first <= int(within[2])
        else:
            behind = BEHIND.search(said)
            assert behind, said
            before = max((position for position in sealed if position < first), default=0)
            named = int(behind[2] or behind[1]) < first and before <= int(behind[1])
        return None if named else f"{first} is not where it was looked for: {said}"


def tamper(ledger: SealedLedger, times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """So many by chance, all kinds alike: how often each was done, and which were not detected as they should be."""
    done, complaints = Counter[str](), list[str]()
    with ledger.owner.transaction(force_rollback=True):
        tamperer = Tamperer(ledger)
        for number in range(times):
            chance = random.Random(f"{seed}/{number}")  # noqa: S311 - not a secret
            kind = kinds()[number % len(kinds())]
            what = tampering(kind, tamperer.sealed, chance)
            if why := tamperer.undetected(what):
                complaints.append(f"{seed}/{number}, {kind}: {why}")
            done[kind] += 1
        if control := tamperer.found(*ledger.notes):
            complaints.append(f"without any tampering: {control[0]}")
    return done, complaints
