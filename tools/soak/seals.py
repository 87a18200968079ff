"""What the sealer gave out during a soak, against the tree of the events: written without the code that it judges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256

import psycopg

from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import Topics
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import NoteInvalid, VerifyingKey, open_note
from tools.soak.fleet import Fleet

LEAVES = """
SELECT sha256('\\x00'::bytea || 'seatledger.leaf.1'::bytea || uuid_send(organization_id) || int8send(organization_seq)
         || int8send(position) || uuid_send(originator_id) || int8send(originator_version) || int8send(recorded_at)
         || chain_hash || int4send(octet_length(told)) || int4send(octet_length(metadata))
         || int4send(octet_length(state)) || told || metadata || state)
  FROM ledger.events, convert_to(topic, 'UTF8') AS told ORDER BY position
"""
STORED = (
    "SELECT leaf.position FROM proof.tiles, unnest(positions) WITH ORDINALITY AS leaf(position, place)"
    " WHERE level = 0 ORDER BY number, place"
)
ORIGIN = "SELECT format('seatledger/%s/%s', ledger_id, epoch) FROM ledger.source"


class Seals:
    """Every checkpoint that anybody may have seen."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        with psycopg.connect(fleet.url) as connection:
            ((self.origin,),) = connection.execute(ORIGIN).fetchall()
            self.stored = [note for (note,) in connection.execute("SELECT note FROM proof.checkpoints")]
        self.keys = [key.verifying() for key in fleet.seal_folder.keys(self.origin)]
        files = (fleet.seal_folder.path / "checkpoints").rglob("*")
        self.in_files = [path.read_text("utf-8") for path in files if path.is_file() and not path.name.startswith(".")]
        self.in_topic = list(self._in_topic())

    @property
    def given_out(self) -> list[str]:
        return [*self.stored, *self.in_files, *self.in_topic]

    def _in_topic(self) -> Iterator[str]:
        if self.fleet.kafka:
            for message in read_topic(self.fleet.kafka.bootstrap, Topics().checkpoints):
                yield message.value.decode()

    def differences(self) -> Iterator[str]:
        """Checkpoints that contradict each other or history, leaves that are not dense, and what was lost."""
        last = (self.fleet.seal_folder.path / "last").read_text("utf-8")
        roots: dict[int, bytes] = {}
        for note in [*self.given_out, last]:
            try:
                found = read(note, self.keys)
            except NoteInvalid as wrong:
                yield f"a checkpoint is none: {wrong}"
                continue
            if roots.setdefault(found.size, found.root) != found.root:
                yield f"there are two roots of {found.size} leaves"
        sizes = {read(note, self.keys).size for note in self.stored}
        lost = {read(note, self.keys).size for note in (*self.in_topic, *self.in_files)} - sizes
        yield from (f"the checkpoint of {size} leaves was given out and is not stored" for size in sorted(lost))
        if max(roots) != read(last, self.keys).size:
            yield f"{max(roots)} leaves were given out, and {read(last, self.keys).size} are the last that were signed"
        yield from self._against_history(roots)

    def _against_history(self, roots: dict[int, bytes]) -> Iterator[str]:
        with psycopg.connect(self.fleet.url) as connection:
            events = [position for (position,) in connection.execute("SELECT position FROM ledger.events ORDER BY 1")]
            if [position for (position,) in connection.execute(STORED)] != events:
                yield "the leaves are not the events in the order of position"
            for size, root in roots_at(connection.execute(LEAVES.encode()), roots.keys()):
                if root != roots[size]:
                    yield f"the checkpoint of {size} leaves has not the root of the events"
        yield from (f"there are no {size} events, and a root of them" for size in roots if size > len(events))


def read(note: str, keys: list[VerifyingKey]) -> Checkpoint:
    return Checkpoint.parse(open_note(note, keys).text)


def roots_at(leaves: Iterable[tuple[bytes, ...]], sizes: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """The root at each size: equal neighbours are joined as they come, the rest from the right."""
    row: list[tuple[int, bytes]] = []
    for size, (leaf,) in enumerate(leaves, start=1):
        row.append((1, leaf))
        while len(row) > 1 and row[-2][0] == row[-1][0]:
            (count, left), (_, right) = row[-2:]
            row[-2:] = [(2 * count, sha256(b"\x01" + left + right).digest())]
        if size in sizes:
            root = row[-1][1]
            for _, left in reversed(row[:-1]):
                root = sha256(b"\x01" + left + root).digest()
            yield size, root
