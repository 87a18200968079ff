"""The run: idempotent, late or in time, resumed, in parallel; and a simulated organization at its own time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, get_args
from uuid import UUID

import pytest

from adapters.payments.sandbox_faults import Faults
from adapters.postgres.directory import PersonalDirectory
from domain.envelope import Role
from domain.invoice import Invoice
from domain.organization import Organization
from domain.refusals import NotAllowed, NotYetThen
from domain.subscription import Subscription
from services.advance import Advance, Advanced, advance_organization
from services.assign_licenses import AssignLicenses
from services.command import Actor
from services.ledger import Ledger
from services.ports_reads import DueProfile
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from tests.services.contoso import FOR_A_YEAR, OPERATOR, Clock, Contoso
from tests.services.crash import Crash
from tests.services.questions import at_once

FEB_28, MAR_31 = date(2025, 2, 28), date(2025, 3, 31)
Found = Callable[..., Contoso]


@pytest.fixture
def found(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Found:
    return lambda **facts: Contoso.founded(ledger, directory, clock, **facts)


@pytest.fixture
def simulated(found: Found) -> Contoso:
    return found(simulation=True)


def runs(
    contoso: Contoso, as_of: datetime | None = None, by: Actor = OPERATOR, till: Any = None, **told: Any
) -> Advanced:
    due = [DueProfile(contoso.organization_id, contoso.can_pay(contoso.melissa))]
    return advance_organization(
        contoso.ledger,
        till or contoso.till,
        Advance(actor=by, as_of=as_of),
        organization_id=contoso.organization_id,
        due=due,
        **told,
    )


class Billed(NamedTuple):
    """What a run must not depend on: when it comes."""

    due_on: date
    lines: list[tuple[Any, ...]]
    total_minor: int


def billed(contoso: Contoso) -> list[Billed]:
    return [
        Billed(
            invoice.due_on,
            sorted(
                (line.kind, line.period.start, line.period.end, line.quantity, line.unit_price_minor, line.amount_minor)
                for line in invoice.lines
            ),
            invoice.total_minor,
        )
        for invoice in contoso.invoices()
    ]


def a_story(contoso: Contoso) -> list[UUID]:
    """Three subscriptions on one profile; one ends, one changes at renewal, one is charged monthly for a year."""
    monthly, ending, yearly = contoso.buys(), contoso.buys(licenses=2), contoso.buys(licenses=7, terms=FOR_A_YEAR)
    contoso.assigns(monthly, contoso.ben, contoso.david)
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=monthly, total=1))
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=ending, on=False))
    return [monthly, ending, yearly]


def test_daily_runs_and_one_that_comes_late_bill_the_same(found: Found, clock: Clock) -> None:
    start = clock.now
    daily, late = found(), found()
    bought = {contoso.handle: a_story(contoso) for contoso in (daily, late)}
    for day in range(1, 130):
        clock.now = datetime.combine(start.date() + timedelta(days=day), time(6), UTC)
        daily.advances(payments=False)
    late.advances()
    assert billed(daily) == billed(late)
    assert len(billed(daily)) == 3 + 4  # each day on which something is charged has one invoice
    for one, other in zip(bought[daily.handle], bought[late.handle], strict=True):
        assert daily.subscription(one).life == late.subscription(other).life
        assert daily.subscription(one).term == late.subscription(other).term
        assert len(daily.holders(one)) == len(late.holders(other))
    assert daily.sandbox.captured() == late.sandbox.captured()


def test_the_second_run_tells_nothing(contoso: Contoso, clock: Clock) -> None:
    a_story(contoso)
    clock.now += timedelta(days=30)
    first = contoso.advances()
    assert first.rounds > 0
    told = contoso.history()
    assert contoso.advances() == Advanced(profiles=first.profiles, rounds=0, payments=len(contoso.payments()))
    assert contoso.history() == told


def test_business_facts_count_as_of_the_due_day_and_windows_from_the_run(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    clock.now += timedelta(days=35)
    contoso.advances()
    recorded = [one for one in contoso.history() if one.topic == Subscription.SubscriptionRenewed.TOPIC]
    assert recorded[0].envelope.effective_at == datetime.combine(FEB_28, time(), UTC)
    assert recorded[0].envelope.occurred_at == clock.now
    assert contoso.subscription(bought).cancellable_until == clock.now + timedelta(days=7)
    assert contoso.invoices()[-1].issued_on == clock.now.date()


def test_eight_runs_at_once_bill_once(contoso: Contoso, clock: Clock) -> None:
    a_story(contoso)
    clock.now += timedelta(days=70)
    at_once(*[contoso.advances] * 8)
    renewals = contoso.invoices()[3:]
    assert [invoice.due_on for invoice in renewals] == [FEB_28, MAR_31]
    assert sum(invoice.total_minor for invoice in contoso.invoices()) == contoso.sandbox.captured()["USD"]


def test_a_run_and_commands_at_once_bill_once(contoso: Contoso, clock: Clock) -> None:
    monthly, _, yearly = a_story(contoso)
    clock.now += timedelta(days=70)
    assigns = contoso.command(AssignLicenses, contoso.buyer, subscription_id=yearly, user_ids=(contoso.ben,))
    grows = contoso.running(ResizeLicenses, contoso.buyer, subscription_id=monthly, total=4)
    at_once(contoso.advances, lambda: contoso.run(assigns), grows, contoso.advances)
    contoso.advances()
    assert [invoice.due_on for invoice in contoso.invoices() if invoice.line(1).kind != "increase"][3:] == [
        FEB_28,
        MAR_31,
    ]
    assert not contoso.sandbox.holds()
    assert sum(invoice.total_minor for invoice in contoso.invoices()) == contoso.sandbox.captured()["USD"]


def test_a_run_that_is_interrupted_goes_on(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    clock.now += timedelta(days=70)
    contoso.sandbox.script(Faults().lost_answer("charge"))
    contoso.advances()
    assert contoso.subscription(bought).life == "active"  # nobody knows yet whether it was declined
    contoso.advances()
    assert {invoice.status for invoice in contoso.invoices()} == {"paid"}
    assert contoso.sandbox.captured() == {"USD": 3 * 4_200}


def test_a_process_that_ends_within_a_run_leaves_nothing_half_done(
    contoso: Contoso, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    contoso.buys()
    clock.now += timedelta(days=70)
    charge, charged = contoso.sandbox.charge, []

    def ends_after_the_charge(request: Any) -> Any:
        charged.append(charge(request))
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr(contoso.sandbox, "charge", ends_after_the_charge)
        with pytest.raises(Crash):
            contoso.advances()
    assert len(charged) == 1
    contoso.advances()
    assert {invoice.status for invoice in contoso.invoices()} == {"paid"}
    assert contoso.sandbox.captured() == {"USD": 3 * 4_200}


def test_only_an_operator_runs_it(contoso: Contoso) -> None:
    for role in set(get_args(Role)) - {"operator"}:
        actor = contoso.by(role)
        contoso.can_pay(contoso.melissa)
        with contoso.refuses(NotAllowed, action="run the life cycle"):
            runs(contoso, by=actor)
    runs(contoso)


# When it is.


def test_a_real_organization_lives_at_the_clock(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    later = clock.now + timedelta(seconds=1)
    with contoso.refuses(NotYetThen):
        runs(contoso, later)
    runs(contoso, clock.now)
    clock.now += timedelta(days=70)
    runs(contoso, datetime.combine(FEB_28, time(), UTC))  # by a day that has passed
    assert contoso.subscription(bought).term_number == 1
    assert contoso.every(Organization)[0].occurred_at is not None
    runs(contoso)
    assert contoso.subscription(bought).term_number == 2


def test_a_simulated_one_lives_ahead_of_it(simulated: Contoso, clock: Clock) -> None:
    bought = simulated.buys()
    simulated.advances(MAR_31)
    assert simulated.subscription(bought).term_number == 2
    assert simulated.now == datetime.combine(MAR_31, time(), UTC)
    assert clock.now.date() == date(2025, 1, 31)
    simulated.run(simulated.command(ResizeLicenses, simulated.buyer, subscription_id=bought, total=4))
    assert simulated.invoices()[-1].due_on == MAR_31  # commands come at its time
    before = len(simulated.history())
    simulated.advances(FEB_28)  # its time does not go back
    assert simulated.now == datetime.combine(MAR_31, time(), UTC)
    assert len(simulated.history()) == before


def test_only_where_no_money_moves(simulated: Contoso, clock: Clock) -> None:
    class Real:
        """Any other provider."""

        name = "bank"

    simulated.buys()
    till = simulated.till._replace(gateway=Real())  # type: ignore[arg-type]  # it is asked for its name alone
    with simulated.refuses(NotYetThen):
        runs(simulated, clock.now + timedelta(days=1), till=till)


def test_a_year_of_a_simulated_organization(simulated: Contoso) -> None:
    """In seconds: twelve months of three subscriptions, a card that fails in spring and is replaced in time."""
    monthly, ending, yearly = a_story(simulated)
    day = date(2025, 2, 1)
    while day <= date(2026, 2, 1):
        if day == date(2025, 4, 29):
            simulated.changes_card("tok_declined")
        if day == date(2025, 5, 10):
            assert simulated.subscription(monthly).life == "in_grace"
            simulated.changes_card("tok_mastercard")
        simulated.advances(day, payments=False)
        day += timedelta(days=1)
    assert simulated.subscription(monthly).term_number == 12
    assert simulated.subscription(ending).life == "deleted"
    assert simulated.subscription(yearly).term_number == 1
    invoices = simulated.invoices()
    assert [invoice.status for invoice in invoices] == ["paid"] * 15
    assert sum(invoice.total_minor for invoice in invoices) == simulated.sandbox.captured()["USD"]
    failed = [told for told in simulated.told() if isinstance(told, Invoice.CollectionFailed)]
    assert [told.attempted_on for told in failed] == [date(2025, 4, 30), date(2025, 5, 3), date(2025, 5, 7)]
    numbers = [invoice.number for invoice in invoices]
    assert numbers == [f"{simulated.profile().prefix}-{count:06}" for count in range(1, 16)]


def test_progress_is_told(contoso: Contoso) -> None:
    contoso.buys()
    told: list[Advanced] = []
    done = runs(contoso, told=told.append)
    assert told[-1] == done
    assert done.profiles == 1
