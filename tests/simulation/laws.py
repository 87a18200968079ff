"""Laws that look at the provider, at aggregates and at snapshots: what holds when a history comes to rest."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.calendar import cycle, utc_date
from domain.invoice import Invoice
from domain.kernel import Aggregate, PydanticJSON, PydanticMapper, replay
from domain.license_pool import LicensePool
from domain.organization import Organization
from domain.payment import Payment
from domain.subscription import Subscription
from services.advance import Advance, advance_organization
from services.ports import LedgerUnavailable
from services.ports_reads import DueProfile
from tests.services.contoso import OPERATOR
from tests.simulation.world import World

KINDS: dict[str, type[Aggregate]] = {
    kind.TOPIC: kind for kind in (BillingProfile, Invoice, LicensePool, Payment, Subscription)
}
ROUNDS_TO_REST = 8


def run(world: World, *, as_of: datetime | None = None) -> None:
    """The life-cycle run as of now or before, over what the read tables propose and the provider gave a hint of."""
    try:
        world.take_hints()
    except LedgerUnavailable:
        world.counts.faults["a hint was cut off"] += 1
    until = as_of or world.ledger.now(organization_of(world))
    advance(world, world.proposals.due_profiles(utc_date(until)), as_of=as_of)


def run_over_everything(world: World, *, all_payments: bool = False) -> None:
    """A run that looks at every profile, and at every payment that waits or at all of them."""
    waiting: dict[UUID, list[UUID]] = defaultdict(list)
    for payment_id, payment in world.reading.payments.items():
        if all_payments or payment.open or payment.waits:
            waiting[payment.profile_id].append(payment_id)
    advance(world, [DueProfile(world.organization_id, one, tuple(waiting[one])) for one in world.reading.profiles])


def advance(world: World, due: Iterable[DueProfile], *, as_of: datetime | None = None) -> None:
    command = Advance(actor=OPERATOR, as_of=as_of)
    try:
        advance_organization(world.ledger, world.till, command, organization_id=world.organization_id, due=list(due))
    except LedgerUnavailable:
        world.counts.faults["a run was cut off"] += 1
    world.reading.catch_up()


def organization_of(world: World) -> Organization:
    return world.ledger.organization(world.organization_id)


def come_to_rest(world: World) -> None:
    """Without faults, a few runs see everything through, and one more tells nothing."""
    world.sandbox.clear_script()
    world.undisturb()
    world.clock.now = max(world.clock.now, world.latest) + timedelta(days=2)
    for _ in range(ROUNDS_TO_REST):
        before = world.head
        run_over_everything(world, all_payments=True)
        if world.head == before:
            return
    told = [event.topic for event in world.recorder.organizations[world.organization_id][before:]]
    raise AssertionError(f"runs at one moment never end telling: {Counter(told)}")


def the_provider_agrees(world: World) -> None:
    """Captured less refunded of each payment is the ledger's; no hold without an open payment; one capture each."""
    attempts = defaultdict(list)
    for attempt in world.sandbox.payments():
        attempts[attempt.payment_id].append(attempt)
    for payment_id, payment in world.reading.payments.items():
        found = attempts.pop(payment_id, [])
        numbers = Counter(one.attempt for one in found)
        assert all(times == 1 for times in numbers.values()), f"an attempt came twice: {numbers}"
        captured = [one for one in found if one.captured_minor]
        assert len(captured) <= 1, "a payment was captured at more than one attempt"
        assert sum(one.captured_minor for one in captured) == payment.captured, "captured is not what the provider has"
        refunds = [refund for one in captured for refund in one.refunds]
        back = sum(refund.amount_minor for refund in refunds if refund.state != "failed")
        assert back == payment.given_back, f"the provider gave back {back}, the ledger says {payment.given_back}"
        assert back <= payment.captured, "more is given back than was captured"
    assert not attempts, "the provider was asked for what no payment says"


def nothing_is_held_for_nothing(world: World) -> None:
    """No hold without an open payment, after every step."""
    for hold in world.sandbox.holds():
        assert world.reading.payments[hold.payment_id].open, "something is held for a payment that is over"


def nothing_hangs(world: World) -> None:
    """At rest, the only open payments are those that wait for somebody, and not for long."""
    for payment_id, payment in world.reading.payments.items():
        assert not payment.open, f"payment {payment_id} is {payment.status} for ever"


def sums_agree(world: World) -> None:
    """Total = credits + paid + due, summed for each profile; its balance is what came in less what was used."""
    for profile_id, read in world.reading.profiles.items():
        invoices = [one for one in world.reading.invoices.values() if one.profile_id == profile_id]
        payments = [one for one in world.reading.payments.values() if one.profile_id == profile_id]
        assert sum(one.total for one in invoices) == sum(one.credits + one.paid + one.due for one in invoices)
        assert read.balance == sum(one.moved - one.applied for one in invoices)
        received = sum(sum(one.received.values()) for one in invoices)
        assert received == sum(one.captured for one in payments), "a capture belongs to no invoice"
        refunded = sum(amount for one in invoices for _, amount in one.refunded.values())
        assert refunded == sum(one.given_back for one in payments), "a refund belongs to no invoice"
        profile = world.ledger.billing_profile(world.organization_id, profile_id)
        assert (profile.balance_minor, profile.invoices, profile.credit_notes) == (
            read.balance,
            read.invoices,
            read.credit_notes,
        )
        open_ones = {
            one
            for one, invoice in world.reading.invoices.items()
            if invoice.profile_id == profile_id and invoice.due and invoice.state != "uncollectible"
        }
        assert open_ones <= set(profile.open_invoices), "something is due that the profile has let go of"


def nothing_is_owed_to_payers(world: World) -> None:
    """What an invoice owes was given back or kept for the next one; past due ones are due; paid ones are not."""
    for invoice in world.reading.invoices.values():
        assert invoice.due >= 0, f"{-invoice.due} are owed to the payer of {invoice.number}"
        assert (invoice.state == "paid") == (invoice.due == 0), (
            f"{invoice.number} is {invoice.state}, due {invoice.due}"
        )


def who_owes_is_in_grace(world: World) -> None:
    """A subscription is in grace for what is past due, and for nothing else; who paid has recovered."""
    for subscription_id, read in world.reading.subscriptions.items():
        if read.life in {"active", "in_grace"}:
            assert (read.life == "in_grace") == bool(read.unpaid), f"{read.life} with {len(read.unpaid)} unpaid"
            for invoice_id in read.unpaid:
                invoice = world.reading.invoices[invoice_id]
                assert (invoice.state, invoice.due > 0) == ("past_due", True), f"in grace for what is {invoice.state}"
        profile_id = world.ledger.subscription(world.organization_id, subscription_id).billing_profile_id
        for invoice_id, invoice in world.reading.invoices.items():
            mine = any(line.line.subscription_id == subscription_id for line in invoice.lines.values())
            if mine and invoice.state == "past_due" and not invoice.disputed and invoice.profile_id == profile_id:
                assert invoice_id in read.unpaid or read.life == "deleted", "past due, and nobody is in grace for it"


def who_is_active_has_been_charged(world: World) -> None:
    """Up to today and beyond: a run leaves no cycle and no renewal out."""
    today = utc_date(world.clock.now)
    for subscription_id, read in world.reading.subscriptions.items():
        if read.life == "active":
            assert world.reading.cycles[subscription_id][-1].end > today, "active, and not charged for today"


def cycles_cover_a_life(world: World) -> None:
    """The cycles that were charged are those of the calendar from the anchor, without gap or overlap."""
    for subscription_id, read in world.reading.subscriptions.items():
        for number, charged in enumerate(world.reading.cycles[subscription_id]):
            assert charged == cycle(read.anchor, read.price.plan, number)
        assert len(world.reading.cycles[subscription_id]) > read.term_number


def lines_are_charged_as_they_say(world: World) -> None:
    """A line stands for one charge of its subscription, from its day to the end of that cycle."""
    for key, charge in world.reading.charges.items():
        line = world.reading.lines[key]
        assert (line.batch, line.period.end, line.cycle_days) == (charge.batch, charge.cycle.end, charge.cycle.days)
        assert charge.cycle.start <= line.period.start
        assert line.kind == "increase" or line.period == charge.cycle


def replays_from_any_snapshot(world: World, seed: int) -> None:
    """From a random version on, read by a mapper that remembers nothing: the same state, and the same cents."""
    chance, mapper = Random(seed), PydanticMapper(PydanticJSON())  # noqa: S311 - not a secret
    for (organization_id, one), stored in world.recorder.streams.items():
        kind = KINDS.get(stored[0].topic.rpartition(".")[0])
        if organization_id != world.organization_id or kind is None:
            continue
        events: list[Any] = [mapper.to_domain_event(event) for event in stored]
        whole, part = replay(events), replay(events[: (at := chance.randint(1, len(events)))])
        assert whole is not None
        assert part is not None
        thawed = replay(events[at:], kind.thaw(part.freeze(), id=one, version=at))
        assert thawed is not None
        assert thawed.freeze() == whole.freeze(), f"{kind.__name__} replays otherwise from version {at}"
