"""What writes in the tests of the ledger: real pools of real organizations, also from processes of their own."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from adapters.postgres.ledger import open_ledger
from domain.license_pool import LicensePool
from services.command import Actor, Command
from services.ledger import Ledger, operation
from services.ports import AlreadyRecorded, Receipt
from tests.examples import THE_SAME_DAY, opening, resized_to

T = TypeVar("T")

KEY = b"the same key in every process .."
ADMIN = Actor(id=UUID(int=7), role="admin")


def ledger_at(url: str, pool_size: int = 8, *, walled: bool = False) -> Ledger:
    return open_ledger(url, pool_size=pool_size, clock=lambda: datetime.now(UTC), fingerprint_key=KEY, walled=walled)


class ChangePool(Command):
    """The command of these tests: sets a pool's total."""

    pool_id: UUID
    total: int


@operation
def change_pool(ledger: Ledger, command: ChangePool) -> Receipt:
    """Says the new total, and nothing when it is the old one."""
    pool = ledger.license_pool(command.organization_id, command.pool_id)
    at = ledger.now(pool)
    if command.total != pool.total:
        resized_to(command.total, at)(pool)
    return ledger.save(pool, because=command, at=at)


def a_change(organization_id: UUID, pool: LicensePool | None = None, total: int = 0, **ids: UUID) -> ChangePool:
    fresh = {"organization_id": organization_id, "command_id": uuid4()}
    return ChangePool.model_validate(
        {**fresh, **ids, "actor": ADMIN, "pool_id": pool.id if pool else uuid4(), "total": total}
    )


def a_pool(total: int = 5) -> LicensePool:
    """Just opened, and not recorded yet."""
    return opening(id=uuid4(), subscription_id=uuid4(), total=total, at=THE_SAME_DAY)


def save(ledger: Ledger, *pools: LicensePool, organization_id: UUID, **more: Any) -> Receipt:
    command = more.pop("because", None) or a_change(organization_id)
    return ledger.save(*pools, because=command, at=ledger.now(), **more)


def at_once(number: int, do: Callable[[int], T]) -> list[T | Exception]:
    """What each of so many threads, let go together, got or raised."""
    gate = threading.Barrier(number)

    def one(index: int) -> T | Exception:
        gate.wait()
        try:
            return do(index)
        except Exception as error:  # noqa: BLE001 - the answer of this thread
            return error

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


# In processes of their own.


def write_many(url: str, seed: int, saves: int) -> None:
    """Saves of one or two events; every other save opens a new organization."""
    chance, mine = random.Random(seed), [uuid4()]  # noqa: S311 - not a secret
    with ledger_at(url, pool_size=1) as ledger:
        for _ in range(saves):
            if chance.random() < 0.5:
                mine.append(uuid4())
            pool = a_pool()
            if chance.random() < 0.3:
                resized_to(7, THE_SAME_DAY)(pool)
            save(ledger, pool, organization_id=chance.choice(mine[-20:]))


def write_until_killed(url: str, journal: Path, organization_ids: Sequence[UUID], threads: int) -> None:
    """Notes each save before (S) and after (A) it; first repeats what an earlier life left open."""
    lines = journal.read_text().split("\n")[:-1]
    acknowledged = {line[2:] for line in lines if line[0] == "A"}
    left_open = [line[2:] for line in lines if line[0] == "S" and line[2:] not in acknowledged]
    out = os.open(journal, os.O_WRONLY | os.O_APPEND)
    ledger = ledger_at(url, pool_size=threads)

    def carry_out(name: str) -> None:
        organization_id, command_id = map(UUID, name.split("/"))
        pool = a_pool()
        resized_to(7, THE_SAME_DAY)(pool)
        command = a_change(organization_id, command_id=command_id)
        with suppress(AlreadyRecorded):
            save(ledger, pool, organization_id=organization_id, because=command)
        os.write(out, f"A {name}\n".encode())

    for name in left_open:
        carry_out(name)

    def work() -> None:
        while True:
            name = f"{random.choice(organization_ids)}/{uuid4()}"  # noqa: S311 - not a secret
            os.write(out, f"S {name}\n".encode())
            carry_out(name)

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    signal.pause()
