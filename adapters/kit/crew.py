"""The lanes of a consumer: one for each share that is its own, made when a share comes and left when it goes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields

import structlog

from adapters.kit.carrier import Work
from adapters.kit.lane import Lane
from adapters.kit.source import Reader, Record, Share
from adapters.kit.step import Counts
from adapters.kit.stops import OtherSource, Stop

log = structlog.get_logger("seatledger.kit")

LEAVE_S = 4.0  # for what is being carried out; shorter than a session of the group


class Stopped(Exception):
    """The consumer ended because of these, by partition; what was carried out before is kept."""

    def __init__(self, errors: Mapping[int, BaseException]) -> None:
        super().__init__("; ".join(dict.fromkeys(str(error) or type(error).__name__ for error in errors.values())))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Metrics:
    """What a consumer did since it was made, as numbers."""

    handled: int
    passed_over: int  # opaque, or of a type that this version does not know
    duplicates: int  # handed out again by the source, and known to be done
    parked: int
    retries: int
    fenced: int
    waiting: int  # read, and not carried out yet
    lag: Mapping[int, int]  # by partition: not read yet, where the source says so
    stopped: Mapping[int, str]  # by partition: why
    looked_at: float  # when its source last answered, in seconds since 1970; 0: never yet


@dataclass
class Crew:
    """Implements `Shares`; all but `metrics` is called by the thread that reads the source, or while that waits."""

    work: Work
    stopped: dict[Share, BaseException] = field(default_factory=dict)
    lag: Mapping[int, int] = field(default_factory=dict)
    looked_at: float = 0.0
    _lanes: dict[Share, Lane] = field(default_factory=dict)
    _paused: dict[Share, bool] = field(default_factory=dict)  # of the lanes that are given records
    _late: list[Lane] = field(default_factory=list)
    _counts: list[Counts] = field(default_factory=list)

    def join(self, share: Share) -> None:
        """Begins anew: what stopped it before may be mended."""
        self.stopped.pop(share, None)
        self._begin(share)

    def leave(self, shares: Collection[Share]) -> None:
        lanes = [lane for share in shares if (lane := self._lanes.pop(share, None))]
        for share in shares:
            self.stopped.pop(share, None)  # whoever has it next will find out again
        for lane in lanes:
            self._paused.pop(lane.share, None)
            lane.leave()
        deadline = time.monotonic() + LEAVE_S
        # One that takes longer can do no harm: its place is compared in the transaction, whoever moves it.
        late = [lane for lane in lanes if not lane.ends_within(max(0.0, deadline - time.monotonic()))]
        self._late = [lane for lane in self._late if not lane.has_ended] + late

    def leave_all(self) -> None:
        self.leave(list(self._lanes))

    def give(self, records: Iterable[Record]) -> None:
        """Each record to its lane; those of a lane that begins anew will come again."""
        lanes = {partition: lane for share, lane in self._lanes.items() if share in self._paused for partition in share}
        for record in records:
            if lane := lanes.get(record.partition):
                lane.put(record)

    def tend(self, reader: Reader) -> None:
        """Has the source read what lanes are ready for; raises OtherSource, and what is no Stop."""
        for share, lane in list(self._lanes.items()):
            if lane.has_ended:
                self._end(share, lane, reader)
            elif share not in self._paused:
                if lane.places is not None:
                    reader.seek(share, lane.places)
                    self._paused[share] = False
            elif lane.is_full and not self._paused[share]:
                reader.pause(share)
                self._paused[share] = True
            elif lane.is_hungry and self._paused[share]:
                reader.resume(share)
                self._paused[share] = False
        self.lag = reader.lag()
        self.looked_at = time.time()

    @property
    def is_idle(self) -> bool:
        """There are lanes, and everything that was read is carried out."""
        return bool(self._lanes) and all(
            lane.is_idle and share in self._paused for share, lane in list(self._lanes.items())
        )

    @property
    def has_stopped(self) -> bool:
        """Nothing is left that could go on."""
        return bool(self.stopped) and not self._lanes

    def raise_what_stopped(self) -> None:
        if self.stopped:
            raise Stopped({partition: error for share, error in self.stopped.items() for partition in share})

    def metrics(self) -> Metrics:
        counts = list(self._counts)
        total = {one.name: sum(getattr(each, one.name) for each in counts) for one in fields(Counts)}
        waiting = sum(lane.waiting for lane in list(self._lanes.values()))
        stopped = {partition: str(error) for share, error in list(self.stopped.items()) for partition in share}
        return Metrics(**total, waiting=waiting, lag=dict(self.lag), stopped=stopped, looked_at=self.looked_at)

    def _begin(self, share: Share) -> None:
        counts = Counts()
        self._counts.append(counts)
        self._lanes[share] = Lane(self.work, share, counts)

    def _end(self, share: Share, lane: Lane, reader: Reader) -> None:
        del self._lanes[share]
        if self._paused.pop(share, None) is False:
            reader.pause(share)
        if lane.is_fenced:
            log.info("place was moved", consumer=self.work.consumer, partitions=share)
            self._begin(share)
        elif lane.error:
            self.stopped[share] = lane.error
            why = str(lane.error) if isinstance(lane.error, Stop) else type(lane.error).__name__
            log.error("partition stopped", consumer=self.work.consumer, partitions=share, why=why)
            if isinstance(lane.error, OtherSource) or not isinstance(lane.error, Stop):
                self.raise_what_stopped()
