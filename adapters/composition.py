"""The one place that wires: from settings to the parts that a process uses, each opened when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self, cast
from uuid import UUID, uuid4

from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.erasures import Erasures
from adapters.postgres.forks import Fork, Forks, Skip
from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.ledger import directory_of, open_ledger, refuse_unsafe
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from adapters.postgres.reads_invoices import InvoiceReads
from adapters.postgres.reads_movements import MovementReads
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.postgres.session import login_of
from adapters.settings import Settings
from adapters.verification import verify_history, verify_read_models, verify_topic
from domain.kernel import PydanticMapper
from domain.organization import Organization
from projections.audit.verify import Difference
from services.command import Actor
from services.ledger import Ledger
from services.may import HOUSE
from services.open_to_auditor import OpenToAuditor
from services.ports import Directory
from services.ports_documents import Typesetter
from services.ports_payments import PaymentGateway
from services.till import Till

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres
    from adapters.kafka.topic_settings import Topics
    from adapters.payments.sandbox import Sandbox
    from adapters.proof.seal_folder import SealFolder
    from adapters.proof.verify_tree import TreeVerified, Trusted

SAFE_REPLICATION = 3  # brokers that keep each message
READ_WAIT_S = 30.0  # a single verb rather folds a long history itself than gives up
CHECKS = (
    *("chain", "payload", "commands", "facts", "amounts", "snapshots"),
    *("tree", "checkpoints", "read tables"),
)


class Broker(NamedTuple):
    """A Kafka broker and what it is."""

    bootstrap: str
    kind: str


class Verified(NamedTuple):
    """What an audit of everything found; `checks` counts the differences of each."""

    checks: dict[str, int]
    organizations: int
    events: int
    topic: str | None  # none: not compared
    tree: TreeVerified
    differences: list[Difference]
    skips: list[Skip]  # decided by operators: events in whose place the topic has a placeholder
    forks: list[Fork]

    @property
    def verified(self) -> bool:
        return not self.differences


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class House:
    """The parts of one process. As a context manager it closes what was opened, the last first.

    `walled`: its ledger and read models see the organization of `wall.within(…)` alone.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        tell: Callable[[str], None] = lambda _: None,
        walled: bool = False,
    ) -> None:
        self.settings, self.clock, self.tell, self.walled = settings, clock, tell, walled
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
            url = self.settings.database_url.get_secret_value()
            refuse_unsafe(url)  # said once, before any part meets what is wrong with it
            return url
        migrate(self.embedded_postgres.url)
        return self.embedded_postgres.url

    def migrate(self) -> list[str]:
        """Brings the database to this version's tables and answers what was missing."""
        owner = self.settings.migration_url
        if owner is None:
            return migrate(self.embedded_postgres.url)
        login = login_of((self.settings.database_url or owner).get_secret_value())
        sealer = self.settings.seal_database_url
        return migrate(
            owner.get_secret_value(),
            app_login=login,
            sealer_login=login_of(sealer.get_secret_value()) if sealer else None,
        )

    @cached_property
    def ledger(self) -> Ledger:
        url, key = self.database_url, self.settings.fingerprint_secret()
        size = self.settings.pool_size
        ledger = open_ledger(url, pool_size=size, clock=self.clock, fingerprint_key=key, walled=self.walled)
        self._open.callback(ledger.close)
        self.erasures.catch_up()  # before anybody is answered: the database may be a backup's
        return ledger

    @cached_property
    def erasures(self) -> Erasures:
        return Erasures(self.database_url, self.settings.erasures)

    @property
    def mapper(self) -> PydanticMapper:
        """Between events and their stored bytes."""
        return cast("PydanticMapper", self.ledger.mapper)

    @cached_property
    def directory(self) -> PersonalDirectory:
        return directory_of(self.ledger)

    def directory_for(self, actor: Actor, organization_id: UUID, reading: str) -> Directory:
        """Who is called what, for one request; to an auditor what a grant opens, and each look is recorded.

        Who has the role of auditor is one in every other role too, except where they administer.
        """
        if actor.role == "admin" or actor.role in HOUSE or not self._is_auditor(actor, organization_id):
            return self.directory
        return OpenToAuditor(
            self.ledger,
            self.directory,
            organization_id=organization_id,
            actor=actor,
            reading=reading,
            read_id=uuid4(),
        )

    def _is_auditor(self, actor: Actor, organization_id: UUID) -> bool:
        found = self.ledger.look_at(organization_id, {organization_id: Organization}).get(organization_id)
        held = isinstance(found, Organization) and found.has_role(actor.id, "auditor")
        return held or actor.role == "auditor"

    # The tree.

    @property
    def seal_database_url(self) -> str:
        """The database, for the login that alone may write the tree."""
        url = self.settings.seal_database_url
        return url.get_secret_value() if url else self.database_url

    @cached_property
    def seal_folder(self) -> SealFolder:
        """What the sealer keeps outside the database; beside an embedded one its key is made once."""
        from adapters.proof.seal_folder import SealFolder

        seeds = self.settings.seal_key
        folder = SealFolder(
            self.settings.seal_folder or self.settings.home / "seal", seeds.get_secret_value() if seeds else None
        )
        if self.settings.database_url is None and not folder.has_key():
            folder.make_key()
        return folder

    # Read tables.

    @cached_property
    def read_models(self) -> ReadModels:
        return self._open.enter_context(ReadModels(self.database_url, wait_s=READ_WAIT_S, walled=self.walled))

    @cached_property
    def views(self) -> PurchaseReads:
        return PurchaseReads(self.read_models)

    @cached_property
    def holdings(self) -> HoldingReads:
        return HoldingReads(self.read_models)

    @cached_property
    def due_work(self) -> DueWorkReads:
        return DueWorkReads(self.read_models)

    @cached_property
    def billing_views(self) -> BillingReads:
        return BillingReads(self.read_models)

    @cached_property
    def invoice_views(self) -> InvoiceReads:
        return InvoiceReads(self.read_models)

    @cached_property
    def movement_views(self) -> MovementReads:
        return MovementReads(self.read_models)

    # Money.

    @cached_property
    def gateway(self) -> PaymentGateway:
        """Stripe where its key is set, or the sandbox, which keeps what it knows beside the embedded servers."""
        if self.settings.stripe_api_key is not None:
            from adapters.payments.stripe_gateway import StripeGateway

            return StripeGateway(self.settings.stripe_api_key)
        return self.sandbox

    @cached_property
    def sandbox(self) -> Sandbox:
        from adapters.payments.sandbox import Sandbox

        return self._open.enter_context(Sandbox(self.settings.home / "sandbox.sqlite", clock=self.clock))

    @cached_property
    def till(self) -> Till:
        from adapters.tax.rates import TaxTable

        return Till(self.gateway, TaxTable.read(self.settings.tax_table))

    def till_of(self, organization_id: UUID) -> Till:
        """The till at the time of an organization: a simulated one has its own, by which the sandbox lives."""
        found = self.ledger.look_at(organization_id, {organization_id: Organization}).get(organization_id)
        simulated = isinstance(found, Organization) and found.facts.simulation
        if not simulated or self.settings.stripe_api_key is not None:
            return self.till

        def now() -> datetime:
            return self.ledger.now(self.ledger.organization(organization_id))

        return self.till._replace(gateway=self.sandbox.for_clock(now))

    @cached_property
    def typesetter(self) -> Typesetter:
        from adapters.documents.typesetter import TypstTypesetter

        return TypstTypesetter()

    # Kafka.

    @cached_property
    def broker(self) -> Broker:
        """The brokers of the settings, or the embedded one."""
        if self.settings.kafka_bootstrap is not None:
            return Broker(self.settings.kafka_bootstrap, "Kafka")
        from adapters.embedded.choose_broker import choose_broker

        broker = self._open.enter_context(choose_broker(self.settings.home, self.tell))
        return Broker(broker.bootstrap, broker.kind)

    def topics(self, edition: int = 1) -> Topics:
        """The topics of an edition: on brokers of one's own kept so that the loss of one loses nothing."""
        from adapters.kafka.topic_settings import Topics

        own = SAFE_REPLICATION if self.settings.kafka_bootstrap is not None else None
        return Topics.of(edition, self.settings.kafka_replication or own)

    @property
    def running_broker(self) -> Broker | None:
        """The broker, unless it is the embedded one and does not run: asking starts nothing."""
        if self.settings.kafka_bootstrap is None:
            from adapters.embedded.kafka import EmbeddedKafka
            from adapters.embedded.tansu import EmbeddedTansu

            home = self.settings.home
            if not any(server.alive for server in (EmbeddedKafka(home), EmbeddedTansu(home))):
                return None
        return self.broker

    # Audit.

    def verify(self, *, topic: bool | None, told: Callable[[str], None], trusted: Trusted | None = None) -> Verified:
        """Everything against history, and history against itself and what was signed of it.

        `topic` None: where a broker runs; `trusted` None: what the sealer's folder on this machine has.
        """
        from adapters.proof.verify_tree import of_sealer, verify_tree

        broker = self.broker if topic else (None if topic is False else self.running_broker)
        checks = dict.fromkeys(CHECKS, 0)
        found: list[Difference] = []
        with HistoryReads(self.database_url) as reads:
            size = reads.size()
            found += verify_history(reads)
        told("comparing history with what was signed")
        of_tree, tree = verify_tree(self.database_url, trusted or of_sealer(self.seal_folder))
        found += of_tree
        found += verify_read_models(self.database_url, told)
        compared = None
        if broker is not None:
            from adapters.kafka.public_events import editions

            every = [self.topics(edition) for edition in editions()]
            compared = f"{', '.join(topics.events for topics in every)} on {broker.kind}"
            checks["topic"] = 0
            told(f"reading {compared}")
            for topics in every:
                found += verify_topic(self.database_url, broker.bootstrap, topics)
        for difference in found:
            checks[difference.check] = checks.get(difference.check, 0) + 1
        with Forks(self.database_url) as records:
            skips, forks = records.skips(), records.forks()
        return Verified(checks, size.organizations, size.events, compared, tree, found, skips, forks)
