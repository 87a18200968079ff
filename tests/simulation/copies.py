"""Laws about two worlds: what comes about does not depend on who takes a step, nor on when the run comes."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.payment import Payment
from services.advance import Advance, advance_organization
from services.ports_reads import DueProfile
from services.purchase import books_up_to_date
from tests.services.contoso import OPERATOR
from tests.simulation.laws import run
from tests.simulation.world import World

Told = list[tuple[UUID, int, str, bytes, UUID]]
Issued = Counter[tuple[object, ...]]


def commands_take_the_steps_of_the_run(world: World, profile_id: UUID) -> None:
    """The due steps of a profile are the same, with the same ids, whether a command or the run takes them."""
    by_run, by_command = world.copy(), world.copy()
    due = [DueProfile(world.organization_id, profile_id)]
    advance_organization(
        by_run.ledger, by_run.till, Advance(actor=OPERATOR), organization_id=world.organization_id, due=due
    )
    organization = by_command.ledger.organization(world.organization_id)
    books_up_to_date(by_command.ledger, by_command.till, organization, profile_id, because=world.new_id())
    assert told_since(by_run, world.head) == told_since(by_command, world.head), "the run takes other steps"
    for one in (by_run, by_command):
        one.reading.catch_up()
        one.sandbox.close()


def told_since(world: World, head: int) -> Told:
    return [facts_of(event) for event in world.recorder.organizations[world.organization_id][head:]]


def facts_of(event: RecordedEvent) -> tuple[UUID, int, str, bytes, UUID]:
    return event.originator_id, event.originator_version, event.topic, event.state, event.envelope.command_id


def one_late_run_bills_as_daily_ones(world: World, days: int) -> bool:
    """Same lines, prices, taxes and totals, where every charge succeeds; answers whether it did."""
    daily, late = world.copy(), world.copy()
    for one in (daily, late):
        one.sandbox.clear_script()
        run(one)
    # What a command has left open is carried on after the due steps, so that its own come with the next run.
    quiet = not any(payment.open for payment in daily.reading.payments.values())
    quiet = quiet and not any(invoice.state == "past_due" for invoice in daily.reading.invoices.values())
    heads = daily.head, late.head
    for _ in range(days):
        daily.turn_clock(timedelta(days=1))
        run(daily)
    late.turn_clock(timedelta(days=days))
    run(late)
    declined = any(
        event.topic in {Payment.PaymentDeclined.TOPIC, Payment.PaymentDisputed.TOPIC}
        for one, head in zip((daily, late), heads, strict=True)
        for event in one.recorder.organizations[world.organization_id][head:]
    )
    if quiet and not declined:
        by_day, at_once = issued_since(daily, heads[0]), issued_since(late, heads[1])
        assert by_day == at_once, f"a late run bills otherwise: {at_once - by_day} for {by_day - at_once}"
    for one in (daily, late):
        one.sandbox.close()
    return quiet and not declined


def issued_since(world: World, head: int) -> Issued:
    """What was invoiced, without the days on which that was recorded."""
    issued: Issued = Counter()
    for recorded in world.recorder.organizations[world.organization_id][head:]:
        event = world.ledger.mapper.to_domain_event(recorded)
        if isinstance(event, Invoice.InvoiceIssued):
            facts = (event.number, event.due_on, event.tax_rate, event.net_minor, event.tax_minor, event.total_minor)
            issued[(event.originator_id, event.billing_profile_id, *facts, event.lines)] += 1
    return issued
