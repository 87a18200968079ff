"""The projector: folds history into the read tables, event by event when idle, in large batches when behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Self

import psycopg
import structlog

from adapters.garbage import cycles_left_alone
from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.projector_builds import builds, create, drop_abandoned, lock, make_live, unlock
from adapters.postgres.projector_fold import Batch, Feed, Fold, FoldFailed, Superseded
from adapters.postgres.read_tables import Build
from adapters.postgres.session import PROJECTOR, session
from domain.kernel import PydanticJSON, PydanticMapper
from projections.projection import Projection, Rows
from projections.read_models import READ_MODELS

LOOK_S = 0.25  # between looks for builds that nobody folds
IDLE_S = 0.01
SMALLEST, FIRST, LARGEST = 50, 500, 10_000  # events of a batch
WRITE_S = 0.1  # what a write transaction should take: every follower waits for it
REST_S = 30.0

log = structlog.get_logger()


class Projector:
    """Folds into every build that it can take; what another process has taken is left to that one.

    A build is taken by a lock of the session that also writes it, and its rows and position commit together: killed
    at any moment, the next one goes on where the last commit was. `projections` are those of this release.
    """

    def __init__(self, url: str, projections: Sequence[Projection] = READ_MODELS) -> None:
        self._url = url
        self._projections = {projection.name: projection for projection in projections}
        self._mapper = PydanticMapper(PydanticJSON())
        self._feeds: list[Feed] = []
        self._limit = FIRST
        self._rests: dict[str, float] = {}  # projections that could not fold an event, until when
        # Nothing that a crash can lose is acknowledged to anybody, so its commits need not wait for the disk.
        conninfo = session(url, role=PROJECTOR, name="seatledger projector", synchronous_commit="off", TimeZone="UTC")
        with unavailable_is_told():
            self.connection: psycopg.Connection[Any] = psycopg.connect(conninfo, autocommit=True)

    # What it works on.

    @property
    def folds(self) -> list[Fold]:
        return [fold for feed in self._feeds for fold in feed.folds]

    def adopt(self, only: Collection[str] | None = None) -> None:
        """Takes the builds that nobody folds, and makes those that are missing; drops what nobody needs."""
        with unavailable_is_told():
            found = builds(self.connection)
            standing = {build.id for build in found if build.state != "retired"}
            for fold in self.folds:
                if fold.build.id not in standing:
                    self._release(fold)
            for projection in self._projections.values():
                rests = self._rests.get(projection.name, 0.0) > time.monotonic()
                if not rests and (only is None or projection.name in only):
                    self._adopt(projection, [build for build in found if build.projection == projection.name])

    def _adopt(self, projection: Projection, found: Sequence[Build]) -> None:
        drop_abandoned(self.connection, found, projection.version)
        held = {fold.build.id for fold in self.folds}
        folded = [build for build in found if build.state in {"building", "live"}]
        for build in folded:
            if build.version == projection.version and build.id not in held and lock(self.connection, build):
                self._take(projection, build)
        if all(build.version < projection.version for build in folded) and (
            new := create(self.connection, projection, "building")
        ):
            log.info("read_model_build_started", projection=new.projection, build=new.build, version=new.version)
            self._begin(projection, new)

    def scratch(self, name: str) -> Fold:
        """Makes a build of its own that no query follows, and takes it."""
        projection = self._projections[name]
        with unavailable_is_told():
            while not (build := create(self.connection, projection, "scratch")):
                time.sleep(IDLE_S)
            return self._begin(projection, build)

    def _take(self, projection: Projection, build: Build) -> None:
        """Goes on with a build whose lock was just taken: it may have moved since it was listed."""
        now = next((now for now in builds(self.connection) if now.id == build.id), None)
        if now is None or now.state != build.state:
            unlock(self.connection, build)
        else:
            self._begin(projection, now)

    def _begin(self, projection: Projection, build: Build) -> Fold:
        fold = Fold(projection, build)
        for table in fold.tables:
            table.prepare(self.connection)
        feed = next((feed for feed in self._feeds if feed.position == build.position), None)
        if feed is None:
            feed = Feed(self._url, build.position, self._mapper.to_domain_event)
            self._feeds.append(feed)
        feed.folds.append(fold)
        return fold

    def release(self) -> None:
        """Leaves every build to others."""
        with unavailable_is_told():
            for fold in self.folds:
                self._release(fold)

    def _release(self, fold: Fold) -> None:
        for feed in list(self._feeds):
            if fold in feed.folds:
                feed.folds.remove(fold)
                if not feed.folds:
                    self._end(feed)
        for table in fold.tables:
            table.unprepare(self.connection)
        unlock(self.connection, fold.build)

    def _end(self, feed: Feed) -> None:
        feed.close()
        self._feeds.remove(feed)

    # How it works.

    def step(self, until: int | None = None) -> int:
        """Folds one batch of each feed and answers how many events that were; nothing after position `until`."""
        handled = 0
        with unavailable_is_told():
            # The foremost first: those behind join it where it stands, and share its transactions from there on.
            for feed in sorted(self._feeds, key=lambda feed: -feed.position):
                if feed in self._feeds:
                    foremost = max(other.position for other in self._feeds)
                    with cycles_left_alone():
                        handled += self._handle_next(feed, foremost if feed.position < foremost else until)
                    if feed.drained:
                        self._caught_up(feed)
                    self._join(feed)
        return handled

    def _handle_next(self, feed: Feed, until: int | None) -> int:
        batch = feed.read(self._limit, until)
        if batch:
            self._handle(feed, batch)
        return len(batch)

    def _handle(self, feed: Feed, batch: Batch) -> None:
        work = [(fold, rows) for fold in list(feed.folds) if (rows := self._folded(fold, batch)) is not None]
        started = time.monotonic()
        try:
            with self.connection.transaction():
                for fold, rows in work:
                    fold.write(self.connection, rows, batch.position)
        except Superseded as superseded:
            # Nothing of this batch is written; what is still ours reads it again, from where it stands.
            self._release(superseded.fold)
            self._restart(feed)
            return
        took_s = time.monotonic() - started
        if took_s > WRITE_S or not feed.drained:  # the last batch is smaller: that it was quick tells nothing
            self._adapt(took_s)
        feed.position = batch.position
        for fold, _ in work:
            fold.moved(batch.position)

    def _folded(self, fold: Fold, batch: Batch) -> Rows | None:
        """What a batch does to a build; a projection that cannot fold it rests, and the others go on."""
        try:
            return fold.fold(self.connection, batch)
        except FoldFailed as failure:
            log.error("read_model_halted", reason=str(failure), retry_in_s=REST_S)  # noqa: TRY400 - a trace shows rows
            self._rests[fold.projection.name] = time.monotonic() + REST_S
            self._release(fold)
            return None

    def _adapt(self, took_s: float) -> None:
        """Batches as large as fit the time that a write transaction may take."""
        self._limit = int(max(SMALLEST, min(LARGEST, self._limit * min(2.0, WRITE_S / max(took_s, 1e-3)))))

    def _restart(self, feed: Feed) -> None:
        """The feed has handed out events that were not handled: reads them again."""
        if feed in self._feeds:
            self._end(feed)
            again = Feed(self._url, feed.position, self._mapper.to_domain_event)
            again.folds = feed.folds
            self._feeds.append(again)

    def _join(self, feed: Feed) -> None:
        """A feed that has come to where another stands gives its folds to that one."""
        if feed in self._feeds:
            for other in self._feeds:
                if other is not feed and other.position == feed.position:
                    other.folds.extend(feed.folds)
                    self._end(feed)
                    return

    def _caught_up(self, feed: Feed) -> None:
        for fold in feed.folds:
            if fold.build.state == "building" and make_live(self.connection, fold.build):
                fold.build = fold.build._replace(state="live")
                log.info("read_model_live", projection=fold.build.projection, build=fold.build.build)

    # How long.

    def run(self, stop: threading.Event, looked: Callable[[int], None] = lambda _: None) -> None:
        """Works until told to stop; raises LedgerUnavailable when the database goes away.

        `looked` is told, several times a second, how many builds it folds.
        """
        look_at = 0.0
        while not stop.is_set():
            if time.monotonic() >= look_at:
                self.adopt()
                looked(len(self.folds))
                look_at = time.monotonic() + LOOK_S
            if not self.step():
                stop.wait(IDLE_S)

    def catch_up(self, names: Collection[str], until: int, *, timeout_s: float) -> None:
        """Folds these read models up to a position, as far as nobody else does so and the time allows."""
        deadline = time.monotonic() + timeout_s
        self.adopt(only=names)
        while time.monotonic() < deadline:
            behind = [fold for fold in self.folds if fold.build.position < until or fold.build.state == "building"]
            if not behind:
                return
            if not self.step():
                time.sleep(IDLE_S / 5)

    def close(self) -> None:
        for feed in list(self._feeds):
            self._end(feed)
        with suppress(psycopg.Error):
            self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
