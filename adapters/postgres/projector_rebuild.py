"""Rebuilds: a second build from the beginning of history, compared with the one that queries follow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.projector import IDLE_S, Projector
from adapters.postgres.projector_builds import builds, drop, make_live
from adapters.postgres.projector_fold import Fold
from adapters.postgres.read_tables import Build, tables_of
from adapters.postgres.session import PROJECTOR, session
from projections.audit.verify import Difference
from projections.parity import differences
from projections.projection import Projection
from projections.read_models import READ_MODELS

CATCH_UP_S = 60.0  # for a read model that has no live build yet
STREAM = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "TimeZone": "UTC"}


class CannotCompare(Exception):
    """Says why a read model cannot be compared with its rebuild, and what to do."""


class Rebuilt(NamedTuple):
    """How a rebuild ended: the new build's number where queries follow it now, and how the old one differed."""

    build: int | None
    differences: list[Difference]


def parity(url: str, name: str, projections: Sequence[Projection] = READ_MODELS) -> list[Difference]:
    """Every row by which a read model differs from its rebuild at the same position; queries notice nothing."""
    with scratch(url, name, projections) as (_, _, found):
        return found


def rebuild(url: str, name: str, *, repair: bool = False, projections: Sequence[Projection] = READ_MODELS) -> Rebuilt:
    """Replaces the live build by a fresh one that equals it; one that differs replaces it only to `repair` it."""
    with scratch(url, name, projections) as (projector, fold, found):
        if found and not repair:
            return Rebuilt(None, found)
        with unavailable_is_told():
            while not make_live(projector.connection, fold.build):
                advance(projector, fold, None)  # meanwhile the live one went on
            fold.build = fold.build._replace(state="live")
        return Rebuilt(fold.build.build, found)


@contextmanager
def scratch(
    url: str, name: str, projections: Sequence[Projection]
) -> Iterator[tuple[Projector, Fold, list[Difference]]]:
    """A second build that has caught up with the live one, and how they differ; dropped unless it became live."""
    with Projector(url, projections) as projector:
        live = live_build(projector, name)
        fold = projector.scratch(name)
        try:
            advance(projector, fold, live.position)  # the long way, without a snapshot that is as long
            with psycopg.connect(session(url, role=PROJECTOR, name="seatledger parity", **STREAM)) as connection:
                found = list(compared(connection, projector, fold))
            yield projector, fold, found
        finally:
            if fold.build.state == "scratch":
                drop(projector.connection, fold.build)


def live_build(projector: Projector, name: str) -> Build:
    """The build that queries follow; made first where there is none."""
    deadline = time.monotonic() + CATCH_UP_S
    while time.monotonic() < deadline:
        with unavailable_is_told():
            for build in builds(projector.connection):
                if build.projection == name and build.state == "live":
                    projector.release()
                    return build
        projector.catch_up([name], 0, timeout_s=IDLE_S)
    raise CannotCompare(f"the read model {name} is still being built: let `seatledger projector` run, then ask again")


def compared(connection: psycopg.Connection[Any], projector: Projector, fold: Fold) -> Iterator[Difference]:
    """Compares at exactly the position where a snapshot sees the live build; the snapshot writes nothing."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    name, version = fold.projection.name, fold.projection.version
    live = next(build for build in builds(connection) if build.projection == name and build.state == "live")
    if live.version != version:
        raise CannotCompare(
            f"the live read model {name} is of version {live.version} and this release builds version {version}:"
            " let `seatledger projector` of this release finish its build, then ask again"
        )
    advance(projector, fold, live.position)
    with projector.connection.transaction():
        for read, rebuilt in zip(tables_of(fold.projection, live.build), fold.tables, strict=True):
            yield from differences(name, read.table, read.all(connection), rebuilt.all(projector.connection))


def advance(projector: Projector, fold: Fold, until: int | None) -> None:
    """Folds up to a position; None: up to what has happened by now."""
    while fold in projector.folds:
        if until is not None and fold.build.position >= until:
            return
        if not projector.step(until):
            if until is None:
                return
            time.sleep(IDLE_S)
    raise CannotCompare(f"the read model {fold.projection.name} cannot be rebuilt: see `read_model_halted` in the log")
