"""What is quoted is what is done: each quote is followed by the command, or by the run, and compared with it."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from adapters.postgres.directory import PersonalDirectory
from domain.invoice import Invoice
from domain.payment import Payment
from domain.refusals import (
    CancellationWindowPassed,
    InvoicePastDue,
    NotAllowed,
    NotFound,
    OfferNotOnSale,
    RecurringBillingOff,
    SubscriptionNotActive,
    TooManyLicenses,
)
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.change_bill_to import ChangeBillTo
from services.command import Command
from services.ledger import Ledger, offer_id_of
from services.quote import Quotable, Quote, QuoteRenewal, quote
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from services.withdraw_offer import WithdrawOffer
from tests.services.contoso import FOR_A_YEAR, MONTHLY, Clock, Contoso

POWER_BI_PRO = offer_id_of(MONTHLY)


class Moved(NamedTuple):
    """What a quote says, or what was told: in minor units."""

    total: int
    tax: int
    from_balance: int
    charge: int
    refund: int
    to_balance: int


def as_quoted(said: Quote) -> Moved:
    return Moved(
        said.total_minor,
        said.tax_minor,
        said.from_balance_minor,
        said.charge_minor,
        said.refund_minor,
        said.to_balance_minor,
    )


def as_told(contoso: Contoso, act: Callable[[], object]) -> Moved:
    """What an act moves, from the events that it tells."""
    before = len(contoso.history())
    act()
    told = [contoso.ledger.mapper.to_domain_event(event) for event in contoso.history()[before:]]

    def sum_of(kind: type, field: str = "amount_minor") -> int:
        return sum(getattr(event, field) for event in told if isinstance(event, kind))

    return Moved(
        sum_of(Invoice.InvoiceIssued, "total_minor") - sum_of(Invoice.CreditNoteIssued, "total_minor"),
        sum_of(Invoice.InvoiceIssued, "tax_minor") - sum_of(Invoice.CreditNoteIssued, "tax_minor"),
        sum_of(Invoice.CreditBalanceApplied),
        sum_of(Payment.PaymentCaptured),
        sum_of(Payment.RefundRequested),
        sum_of(Invoice.MovedToCreditBalance),
    )


def quoted(contoso: Contoso, command: Quotable) -> Quote:
    """A quote records nothing and asks the provider for no money."""
    before, calls = contoso.history(), contoso.sandbox.calls()
    said = quote(contoso.ledger, contoso.till, command)
    assert contoso.history() == before
    assert contoso.sandbox.calls() == calls
    return said


def holds(contoso: Contoso, command: Command, **facts: Any) -> Quote:
    """The quote equals the act, which agrees to its total."""
    said = quoted(contoso, command)  # type: ignore[arg-type]  # one of them
    if "expected_amount_minor" in type(command).model_fields:
        command = command.model_copy(update={"expected_amount_minor": said.total_minor})
    assert as_told(contoso, partial(contoso.run, command)) == as_quoted(said)
    assert facts == {name: getattr(said, name) for name in facts}
    return said


def a_purchase(contoso: Contoso, licenses: int = 3, **content: Any) -> BuySubscription:
    contoso.can_pay(contoso.melissa)
    return contoso.command(
        BuySubscription, contoso.buyer, **{"offer_id": POWER_BI_PRO, "licenses": licenses, **content}
    )


def a_resize(contoso: Contoso, bought: UUID, total: int) -> ResizeLicenses:
    return contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total)


def a_cancellation(contoso: Contoso, bought: UUID, when: str = "now") -> CancelSubscription:
    return contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when=when, reason="other")


def a_reactivation(contoso: Contoso, bought: UUID, **content: Any) -> ReactivateSubscription:
    return contoso.command(ReactivateSubscription, contoso.buyer, subscription_id=bought, **content)


def a_renewal(contoso: Contoso, bought: UUID) -> QuoteRenewal:
    return contoso.command(QuoteRenewal, contoso.buyer, subscription_id=bought)


def renews_as_quoted(contoso: Contoso, bought: UUID, **facts: Any) -> Quote:
    said = quoted(contoso, a_renewal(contoso, bought))
    assert as_told(contoso, partial(contoso.advances, said.on)) == as_quoted(said)
    assert facts == {name: getattr(said, name) for name in facts}
    return said


def test_a_purchase(contoso: Contoso) -> None:
    said = holds(contoso, a_purchase(contoso), what="purchase", total_minor=4_200, charge_minor=4_200, tax_minor=0)
    assert [(line.kind, line.days, line.amount_minor) for line in said.lines] == [("purchase", 28, 4_200)]


def test_an_increase(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=100)
    clock.now += timedelta(days=10)
    holds(contoso, a_resize(contoso, bought, 105), what="increase", total_minor=4_500, charge_minor=4_500)


def test_a_decrease(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=100)
    clock.now += timedelta(days=2)
    said = holds(contoso, a_resize(contoso, bought, 98), what="decrease", total_minor=-2_600, refund_minor=2_600)
    assert [(note.invoice_number, note.total_minor) for note in said.credits] == [(contoso.invoices()[0].number, 2_600)]


def test_the_same_total(contoso: Contoso) -> None:
    holds(contoso, a_resize(contoso, contoso.buys(licenses=3), 3), what="nothing", total_minor=0)


@pytest.mark.parametrize(("days", "refund"), [(0, 4_200), (5, 3_450)])
def test_a_cancellation_now(contoso: Contoso, clock: Clock, days: int, refund: int) -> None:
    bought = contoso.buys()
    clock.now += timedelta(days=days)
    holds(contoso, a_cancellation(contoso, bought), what="cancellation", refund_minor=refund, still_due_minor=0)


def test_a_cancellation_at_term_end(contoso: Contoso) -> None:
    bought = contoso.buys(terms=FOR_A_YEAR)
    holds(contoso, a_cancellation(contoso, bought, "term_end"), total_minor=0, still_owed_minor=11 * 4_200)


def test_a_reactivation(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    contoso.run(a_cancellation(contoso, bought))
    clock.now += timedelta(days=1)
    holds(contoso, a_reactivation(contoso, bought), what="reactivation", total_minor=4_200)
    again = contoso.buys()
    contoso.run(a_cancellation(contoso, again))
    holds(contoso, a_reactivation(contoso, again, licenses=5), what="reactivation", total_minor=7_000)


def test_a_renewal(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=2))
    renews_as_quoted(contoso, bought, what="renewal", on=date(2025, 2, 28), total_minor=2_800, charge_minor=2_800)


def test_a_cycle_within_a_yearly_term(contoso: Contoso) -> None:
    renews_as_quoted(contoso, contoso.buys(terms=FOR_A_YEAR), on=date(2025, 2, 28), total_minor=4_200)


# With what waits on the profile.


def test_a_credit_balance_is_used_first(contoso: Contoso, clock: Clock) -> None:
    """A refund failed: what it was for is on the balance, and the next invoices use it up."""
    contoso.opens_profile(contoso.melissa, "tok_refund_fails")
    bought = contoso.buys(licenses=4)
    contoso.run(a_resize(contoso, bought, 1))
    contoso.advances(clock.now.date() + timedelta(days=2))
    assert contoso.profile().balance_minor == 4_200
    holds(contoso, a_purchase(contoso, 1), total_minor=1_400, from_balance_minor=1_400, charge_minor=0)
    renews_as_quoted(contoso, bought, total_minor=1_400, from_balance_minor=1_400, charge_minor=0)
    holds(contoso, a_purchase(contoso, 3), total_minor=4_200, from_balance_minor=1_400, charge_minor=2_800)


def test_small_amounts_go_along(contoso: Contoso) -> None:
    cheap = offer_id_of(contoso.lists(unit_price_minor=10))
    holds(contoso, a_purchase(contoso, offer_id=cheap), total_minor=30, charge_minor=0)
    holds(contoso, a_purchase(contoso), total_minor=4_200, charge_minor=4_230)
    assert [invoice.status for invoice in contoso.invoices()] == ["paid", "paid"]


@pytest.mark.parametrize("bought_before", [0, 1])
def test_tax_of_the_country_billed_to(contoso: Contoso, bought_before: int) -> None:
    contoso.can_pay(contoso.melissa)
    bought = [contoso.buys(licenses=3) for _ in range(bought_before)]
    changing = contoso.command(ChangeBillTo, contoso.buyer, billing_profile_id=contoso.profile().id, country="DE")
    contoso.run(changing)
    holds(contoso, a_purchase(contoso), net_minor=4_200, tax_minor=798, tax_rate_ppm=190_000, charge_minor=4_998)
    for one in bought:
        holds(contoso, a_resize(contoso, one, 2), tax_minor=0, total_minor=-1_400)  # at the invoice's own rate


YEN = {"country": "JP", "currency": "JPY", "currency_exponent": 0}
DINAR = {"country": "KW", "currency": "KWD", "currency_exponent": 3}


class Abroad(NamedTuple):
    facts: dict[str, Any]
    price: int
    total: int
    charge: int


@pytest.mark.parametrize(
    "abroad",
    [Abroad(YEN, 1_499, 4_497 + 450, 4_947), Abroad(DINAR, 4_257, 12_771, 12_770)],
)
def test_currencies_of_no_and_of_three_decimals(
    ledger: Ledger,
    directory: PersonalDirectory,
    clock: Clock,
    abroad: Abroad,
) -> None:
    """Of three decimals cards move two: the rest waits for the next charge, and a rest owed goes to the balance."""
    contoso = Contoso.founded(ledger, directory, clock, **abroad.facts)
    currency = {name: abroad.facts[name] for name in ("currency", "currency_exponent")}
    offer_id = offer_id_of(contoso.lists(unit_price_minor=abroad.price, **currency))
    buying = a_purchase(contoso, offer_id=offer_id)
    said = holds(contoso, buying, total_minor=abroad.total, charge_minor=abroad.charge)
    assert currency == {name: getattr(said, name) for name in currency}
    bought = buying.subscription_id
    clock.now += timedelta(days=2)
    holds(contoso, a_resize(contoso, bought, 5), what="increase")
    holds(contoso, a_resize(contoso, bought, 2), what="decrease")
    renews_as_quoted(contoso, bought)
    holds(contoso, a_cancellation(contoso, bought), what="cancellation")
    holds(contoso, a_reactivation(contoso, bought), what="reactivation")
    for invoice in contoso.invoices():
        assert invoice.total_minor == invoice.credited_minor + invoice.paid_minor + invoice.due_minor


# Due steps that a command would take first are rehearsed.


def test_an_increase_after_a_renewal_that_nobody_took(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += timedelta(days=30)  # Mar 2: renewed on Feb 28, 29 of 31 days are left
    said = quoted(contoso, a_resize(contoso, bought, 5))
    assert (said.total_minor, said.charge_minor) == (2_619, 2_619)
    contoso.advances()
    holds(contoso, a_resize(contoso, bought, 5), total_minor=2_619)


# Refused where the command would be, and for whom.


def test_refused_where_the_command_would_be(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    with contoso.refuses(TooManyLicenses, total=301):
        quoted(contoso, a_resize(contoso, bought, 301))
    clock.now += timedelta(days=7)
    with contoso.refuses(CancellationWindowPassed):
        quoted(contoso, a_cancellation(contoso, bought))
    with contoso.refuses(NotFound, what="offer"):
        quoted(contoso, a_purchase(contoso, offer_id=uuid4()))


def test_nobody_sees_what_anothers_purchase_would_cost(contoso: Contoso, another: Contoso) -> None:
    bought, elsewhere = contoso.buys(), another.buys()
    ben = contoso.purchaser(contoso.ben)
    for of in (bought, elsewhere, uuid4()):
        for command in (
            contoso.command(ResizeLicenses, ben, subscription_id=of, total=5),
            contoso.command(CancelSubscription, ben, subscription_id=of, when="now", reason="other"),
            contoso.command(QuoteRenewal, ben, subscription_id=of),
        ):
            with contoso.refuses(NotFound, what="subscription", key=str(of)):
                quote(contoso.ledger, contoso.till, command)
    with contoso.refuses(NotAllowed):
        quoted(contoso, contoso.command(QuoteRenewal, contoso.by("service"), subscription_id=bought))
    for role in ("admin", "billing_reader", "auditor", "operator"):
        said = quoted(contoso, contoso.command(QuoteRenewal, contoso.by(role), subscription_id=bought))
        assert said.total_minor == 4_200


def test_what_does_not_renew_has_no_renewal(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False))
    with contoso.refuses(RecurringBillingOff, subscription_id=str(bought)):
        quoted(contoso, a_renewal(contoso, bought))
    contoso.run(a_cancellation(contoso, bought))
    with contoso.refuses(SubscriptionNotActive, state="disabled"):
        quoted(contoso, a_renewal(contoso, bought))


def test_an_offer_that_is_withdrawn_by_then_has_no_renewal(contoso: Contoso) -> None:
    terms = contoso.lists()
    bought = contoso.buys(terms=terms)
    withdrawing = contoso.in_catalog(WithdrawOffer, offer_id=offer_id_of(terms), withdrawn_on=date(2025, 2, 20))
    contoso.run(withdrawing)
    with contoso.refuses(OfferNotOnSale, why="it is withdrawn from 2025-02-20 on"):
        quoted(contoso, a_renewal(contoso, bought))


def test_what_is_past_due_has_no_renewal(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 2, 28))
    assert contoso.subscription(bought).life == "in_grace"
    with contoso.refuses(InvoicePastDue, invoice_ids=[str(contoso.invoices()[-1].id)]):
        quoted(contoso, a_renewal(contoso, bought))


def test_what_was_cancelled_within_its_year_has_no_further_cycle(contoso: Contoso) -> None:
    bought = contoso.buys(terms=FOR_A_YEAR)
    contoso.run(a_cancellation(contoso, bought))
    with contoso.refuses(SubscriptionNotActive, state="disabled"):
        quoted(contoso, a_renewal(contoso, bought))
