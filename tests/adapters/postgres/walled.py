"""What stands behind the wall in its tests: two organizations with one story, and a call of every query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid5

from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import directory_of, open_ledger
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from adapters.postgres.reads_invoices import InvoiceReads
from adapters.postgres.reads_movements import MovementReads
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.postgres.recorder import LedgerRecorder
from domain.as_of import AsOf
from domain.organization import CATALOG
from domain.personal import PersonalFact
from projections.read_models import READ_MODELS
from services.ledger import Ledger, snapshot_of
from services.ports_reads import InvoiceFilter, PurchaseFilter
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID, World, a_world
from tests.adapters.postgres.writers import KEY, a_pool, save
from tests.examples import CHRIS, PURCHASED_AT, an_id
from tests.services.on_sale import import_power_bi

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

LATER = date(2027, 1, 1)
MILESTONES = """
INSERT INTO ledger.milestones
SELECT organization_id, originator_id, version, topic, shape, state, occurred_at, 1, 1, 0, 0 FROM ledger.snapshots
"""
CHRIS_IN_BOTH = an_id(950)


@dataclass
class Walled:
    """Two organizations with the same story, and the doors to them that stand behind the wall."""

    world: World
    ledger: Ledger
    models: ReadModels

    @property
    def recorder(self) -> LedgerRecorder:
        return cast("LedgerRecorder", self.ledger.recorder)

    @property
    def directory(self) -> PersonalDirectory:
        return directory_of(self.ledger)


def fact_of(organization_id: UUID) -> PersonalFact:
    """What the organization knows of the member whom all have."""
    return PersonalFact(
        fact_id=uuid5(organization_id, "fact"),
        subject_id=CHRIS_IN_BOTH,
        purpose="user_name",
        value="chris@contoso.example",
        salt="5a" * 32,
    )


def pool_of(organization_id: UUID, number: int = 1) -> UUID:
    return uuid5(organization_id, f"pool {number}")


@contextmanager
def a_walled_world(postgres: EmbeddedPostgres) -> Iterator[Walled]:
    """A database with both stories in it, folded by a query that stood behind the wall itself."""
    with a_world(postgres) as world:
        world.at = datetime.now(UTC)
        import_power_bi(world.ledger)
        world.at = PURCHASED_AT
        for organization_id in (CONTOSO_ID, FABRIKAM_ID):
            world.story(4, of=organization_id)
            pool = world.ledger.license_pool(organization_id, pool_of(organization_id))
            world.ledger.history.keep_snapshot(organization_id, pool.id, snapshot_of(pool))
            save(world.ledger, a_pool(), organization_id=organization_id, facts=[fact_of(organization_id)])
        world.execute(MILESTONES)
        save(world.ledger, a_pool(), organization_id=CATALOG, facts=[fact_of(CATALOG)])
        with (
            open_ledger(world.url, pool_size=4, clock=lambda: world.at, fingerprint_key=KEY, walled=True) as ledger,
            ReadModels(world.url, walled=True) as models,
        ):
            for projection in READ_MODELS:  # no projector runs: who asks folds
                models.read([type(projection)], world.models.head(), lambda *_: None)
            yield Walled(world, ledger, models)


# What each query answers when another organization is asked for.

Asked = Callable[[Walled, UUID], Any]


def invoice_of(organization_id: UUID) -> UUID:
    return uuid5(uuid5(organization_id, "profile 1"), "invoice 0")


def command_of(walled: Walled, organization_id: UUID) -> tuple[UUID, str]:
    asked = "SELECT command_id, step FROM ledger.commands WHERE organization_id = %s LIMIT 1"
    ((command_id, step),) = walled.world.execute(asked, organization_id)
    return command_id, step


RECORDER: dict[str, Asked] = {
    "recorded": lambda w, of: w.recorder.recorded(of, *command_of(w, of)),
    "load": lambda w, of: [part for part in w.recorder.load(of, pool_of(of)) if part],
    "load_several": lambda w, of: w.recorder.load_several(of, [pool_of(of)]),
    "versions": lambda w, of: w.recorder.versions(of, [pool_of(of)]),
    "load_events": lambda w, of: w.recorder.load_events(of, pool_of(of)),
    "load_many": lambda w, of: w.recorder.load_many(of, [pool_of(of)]),
    "load_page": lambda w, of: w.recorder.load_page(of, {pool_of(of): 0}, 10),
    "told": lambda w, of: w.recorder.told(of, after=0, until=2**60),
    "load_as_of": lambda w, of: [part for part in w.recorder.load_as_of(of, pool_of(of), AsOf()) if part],
    "aggregates": lambda w, of: w.recorder.aggregates(of, after=None, limit=10),
    "mentioning": lambda w, of: w.recorder.mentioning(of, str(uuid5(of, "subscription 1"))),
}
DIRECTORY: dict[str, Asked] = {
    "member_ids": lambda w, of: w.directory.member_ids(of, ["chris@contoso.example"]),
    "details": lambda w, of: w.directory.details(of, [CHRIS_IN_BOTH]),
    "facts": lambda w, of: w.directory.facts(of, [fact_of(of).fact_id]),
    "of_subject": lambda w, of: w.directory.of_subject(of, CHRIS_IN_BOTH),
    "by_id": lambda w, of: w.directory.by_id(of, [fact_of(of).fact_id]),
    "search": lambda w, of: w.directory.search(of, "chris", 10),
}
PURCHASES: dict[str, Asked] = {
    "list": lambda w, of: PurchaseReads(w.models).list(of, PurchaseFilter()).rows,
    "one": lambda w, of: PurchaseReads(w.models).one(of, uuid5(of, "subscription 1")),
    "licenses_by_product": lambda w, of: PurchaseReads(w.models).licenses_by_product(of, PurchaseFilter()),
    "assigned": lambda w, of: PurchaseReads(w.models).assigned(of, uuid5(of, "subscription 1")),
    "assigned_on": lambda w, of: PurchaseReads(w.models).assigned_on(
        of, uuid5(of, "subscription 1"), PURCHASED_AT.date()
    ),
}
HOLDINGS: dict[str, Asked] = {
    "pools_of": lambda w, of: HoldingReads(w.models).pools_of(of, uuid5(of, "member 2"), at_least=0)
}
BILLING: dict[str, Asked] = {
    "profiles": lambda w, of: BillingReads(w.models).profiles(of),
    "profile": lambda w, of: BillingReads(w.models).profile(of, uuid5(of, "profile 1")),
    "payment_methods": lambda w, of: BillingReads(w.models).payment_methods(of, CHRIS),
}
INVOICES: dict[str, Asked] = {
    "list": lambda w, of: InvoiceReads(w.models).list(of, InvoiceFilter()).rows,
    "one": lambda w, of: InvoiceReads(w.models).one(of, invoice_of(of)),
    "by_number": lambda w, of: InvoiceReads(w.models).by_number(of, "note 1"),
    "credit_notes": lambda w, of: InvoiceReads(w.models).credit_notes(of, invoice_of(of)),
}
# Also of the house: with the wall there is one organization in it.
DUE: dict[str, Asked] = {
    "due": lambda w, of: [item for item in DueWorkReads(w.models).due(LATER) if item.organization_id == of],
    "due_profiles": lambda w, of: [
        *DueWorkReads(w.models).due_profiles(LATER, organization_id=of),
        *[profile for profile in DueWorkReads(w.models).due_profiles(LATER) if profile.organization_id == of],
    ],
}
MOVEMENTS: dict[str, Asked] = {
    "movements": lambda w, of: [
        *MovementReads(w.models).movements(date(2000, 1, 1), date(2100, 1, 1), organization_id=of),
        *[m for m in MovementReads(w.models).movements(date(2000, 1, 1), date(2100, 1, 1)) if m.organization_id == of],
    ],
    "of_payments": lambda w, of: MovementReads(w.models).of_payments([uuid5(of, "payment 1")]),
    "organizations_of": lambda w, of: MovementReads(w.models).organizations_of([uuid5(of, "payment 1")]),
    "earliest_request": lambda w, of: MovementReads(w.models).earliest_request([uuid5(of, "payment 1")]),
}
DOORS: dict[type, dict[str, Asked]] = {
    LedgerRecorder: RECORDER,
    PersonalDirectory: DIRECTORY,
    PurchaseReads: PURCHASES,
    HoldingReads: HOLDINGS,
    BillingReads: BILLING,
    InvoiceReads: INVOICES,
    DueWorkReads: DUE,
    MovementReads: MOVEMENTS,
}
