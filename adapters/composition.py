"""The one place that wires: from settings to the parts that a process uses, each opened when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from adapters.postgres.datastore import LedgerDatastore
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.postgres.session import login_of
from adapters.settings import Settings
from domain.kernel import PydanticMapper
from services.ledger import Ledger

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

READ_WAIT_S = 30.0  # a single verb rather folds a long history itself than gives up


class Broker(NamedTuple):
    """A Kafka broker and what it is."""

    bootstrap: str
    kind: str


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class House:
    """The parts of one process. As a context manager it closes what was opened, the last first."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings, self.clock, self.tell = settings, clock, tell
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    # PostgreSQL.

    @cached_property
    def embedded_postgres(self) -> EmbeddedPostgres:
        from adapters.embedded.postgres import EmbeddedPostgres

        return self._open.enter_context(EmbeddedPostgres(self.settings.home))

    @cached_property
    def database_url(self) -> str:
        """The database of the settings, or the embedded server's, migrated."""
        if self.settings.database_url is not None:
            return self.settings.database_url.get_secret_value()
        migrate(self.embedded_postgres.url)
        return self.embedded_postgres.url

    def migrate(self) -> list[str]:
        """Brings the database to this version's tables and answers what was missing."""
        owner = self.settings.migration_url
        if owner is None:
            return migrate(self.embedded_postgres.url)
        login = login_of((self.settings.database_url or owner).get_secret_value())
        return migrate(owner.get_secret_value(), app_login=login)

    @cached_property
    def ledger(self) -> Ledger:
        url, key = self.database_url, self.settings.fingerprint_secret()
        ledger = open_ledger(url, pool_size=self.settings.pool_size, clock=self.clock, fingerprint_key=key)
        self._open.callback(ledger.close)
        return ledger

    @property
    def mapper(self) -> PydanticMapper:
        """Between events and their stored bytes."""
        return cast("PydanticMapper", self.ledger.mapper)

    @cached_property
    def directory(self) -> PersonalDirectory:
        return PersonalDirectory(cast("LedgerDatastore", self.ledger.factory.datastore))  # type: ignore[attr-defined]

    # Read tables.

    @cached_property
    def read_models(self) -> ReadModels:
        return self._open.enter_context(ReadModels(self.database_url, wait_s=READ_WAIT_S))

    @cached_property
    def views(self) -> PurchaseReads:
        return PurchaseReads(self.read_models)

    @cached_property
    def holdings(self) -> HoldingReads:
        return HoldingReads(self.read_models)

    @cached_property
    def due_work(self) -> DueWorkReads:
        return DueWorkReads(self.read_models)

    # Kafka.

    @cached_property
    def broker(self) -> Broker:
        """The brokers of the settings, or the embedded one."""
        if self.settings.kafka_bootstrap is not None:
            return Broker(self.settings.kafka_bootstrap, "Kafka")
        from adapters.embedded.choose_broker import choose_broker

        broker = self._open.enter_context(choose_broker(self.settings.home, self.tell))
        return Broker(broker.bootstrap, broker.kind)
