"""A lane: the thread that carries out one share of the events, in order, and the bounded queue before it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from adapters.kit.carrier import Carrier, Work
from adapters.kit.source import Place, Record, Share
from adapters.kit.step import Counts
from adapters.kit.stops import Fenced, Left

LOOK_S = 2.0  # an idle lane looks so often whether its place was moved by a replay


class Lane:
    """Carries out what is put into its queue, until it is told to leave; it ends at the first thing it cannot mend."""

    def __init__(self, work: Work, share: Share, counts: Counts) -> None:
        self.work, self.share, self.counts = work, share, counts
        self.places: Mapping[int, Place] | None = None  # from where it wants to be given records, once it knows
        self.is_fenced = False
        self.error: BaseException | None = None
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._busy = False
        self._leaving = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"kit {work.consumer} {share[0]}", daemon=True)
        self._thread.start()

    # Called by the thread that reads the source.

    def put(self, record: Record) -> None:
        with self._changed:
            self._records.append(record)
            self._bytes += record.size
            self._changed.notify_all()

    @property
    def is_full(self) -> bool:
        return len(self._records) >= self.work.queue or self._bytes >= self.work.queue_bytes

    @property
    def is_hungry(self) -> bool:
        return len(self._records) <= self.work.queue // 2 and self._bytes <= self.work.queue_bytes // 2

    @property
    def is_idle(self) -> bool:
        """Everything that was put into the queue is carried out."""
        with self._changed:
            return self.places is not None and not self._records and not self._busy

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """So many records wait in its queue."""
        return len(self._records)

    def leave(self) -> None:
        """Drops what waits; what is being carried out may still end."""
        self._leaving.set()
        with self._changed:
            self._records.clear()
            self._bytes = 0
            self._changed.notify_all()

    def ends_within(self, timeout_s: float) -> bool:
        """Waits for what is being carried out."""
        self._thread.join(timeout_s)
        return self.has_ended

    # Its own thread.

    def _run(self) -> None:
        carrier: Carrier | None = None
        try:
            carrier = Carrier(self.work, self.share, self.counts, self._leaving)
            self.places = dict(carrier.step.places)
            while not self._leaving.is_set():
                if records := self._next():
                    carrier.take(records)
                elif not self._leaving.is_set():
                    carrier.look()
        except Left:
            pass
        except Fenced:
            self.counts.fenced += 1
            self.is_fenced = True
        except BaseException as error:  # noqa: BLE001 - whoever reads the source asks why it ended
            self.error = error
        finally:
            if carrier:
                carrier.close()

    def _next(self) -> list[Record]:
        """What is carried out together; nothing when nothing came for a while."""
        with self._changed:
            self._busy = False
            if not self._records and not self._leaving.is_set():
                self._changed.wait(LOOK_S)
            taken = [self._records.popleft() for _ in range(min(self.work.batch, len(self._records)))]
            self._bytes -= sum(record.size for record in taken)
            self._busy = bool(taken)
            return taken
