"""What the amounts of each event follow from, and what they change."""

from collections.abc import Callable, Sequence

from projections.audit.accounts import Accounts, Amounts, Bill, Sold
from projections.audit.amounts import Told

REQUESTS = ("Payment.PaymentRequested", "Payment.PaymentTriedAgain")


def amounts_of(told: Told, accounts: Accounts) -> Amounts:
    """By path, like `lines[0].amount_minor`; raises LookupError where history does not tell what they rest on."""
    return FOLLOWS[told.kind](told, accounts)


def requested(together: Sequence[Told], accounts: Accounts) -> dict[int, Amounts]:
    """The amounts of a payment and of the invoices that it collects, which come about at once, by their seq."""
    requests = [told for told in together if told.kind in REQUESTS]
    started = {told.id: told for told in together if told.kind == "Invoice.CollectionStarted"}
    amounts: dict[int, Amounts] = {}
    for request in requests:
        ids = [part["invoice_id"] for part in request.facts["allocation"]]
        dues = {one: accounts.bills[one].due_minor for one in ids if started or one != ids[-1]}
        if not started:  # paid first: the last invoice is yet to come
            dues[ids[-1]] = accounts.due_of_intent(request)
        amounts[request.seq] = accounts.request(request, dues)
    if started:
        charge = accounts.charges[next(iter(started.values())).facts["payment_id"]]
        parts = accounts.shared(charge.currency, {one: accounts.bills[one].due_minor for one in charge.parts})
        amounts |= {told.seq: {"amount_minor": parts[one]} for one, told in started.items()}
    return amounts


# Subscriptions and pools.


def purchased(told: Told, accounts: Accounts) -> Amounts:
    price = told.facts["price"]["unit_price_minor"]
    accounts.sold[told.id] = Sold(price, told.facts["anchor"], told.facts["price"]["plan"], told.facts["term"]["end"])
    return {"price.unit_price_minor": price}


def renewed(told: Told, accounts: Accounts) -> Amounts:
    sold = accounts.sold[told.id]
    before, sold.unit_price_minor = sold.unit_price_minor, told.facts["price"]["unit_price_minor"]
    sold.term_end = told.facts["term"]["end"]
    return {"price.unit_price_minor": sold.unit_price_minor, "unit_price_minor_before": before}


def sized(told: Told, accounts: Accounts) -> Amounts:
    """A term has one price, whatever is added to it."""
    sold = accounts.sold[told.facts["subscription_id"]]
    sold.licenses = told.facts["total"]
    return {"price.unit_price_minor": sold.unit_price_minor}


def ending(told: Told, accounts: Accounts) -> Amounts:
    return {"still_owed_minor": accounts.still_owed(told)}


# Invoices. What is due follows from what was due before.


def with_due(told: Told, accounts: Accounts) -> Amounts:
    return {"due_minor": accounts.bills[told.id].due_minor}


def moved(bill: Bill, amount_minor: int, due_by: int) -> Amounts:
    """An amount that changes what is due."""
    bill.due_minor += due_by * amount_minor
    return {"amount_minor": amount_minor, "due_minor": bill.due_minor}


def balance_applied(told: Told, accounts: Accounts) -> Amounts:
    bill = accounts.bills[told.id]
    bill.moved_minor = min(accounts.balances.get(bill.profile_id, 0), bill.total_minor)
    return moved(bill, bill.moved_minor, -1)


def received(told: Told, accounts: Accounts) -> Amounts:
    bill, payment_id = accounts.bills[told.id], told.facts["payment_id"]
    bill.received[payment_id] = accounts.charges[payment_id].parts[told.id]
    return moved(bill, bill.received[payment_id], -1)


def refund_counted(told: Told, accounts: Accounts) -> Amounts:
    return moved(accounts.bills[told.id], accounts.refund(told), +1)


def refund_reversed(told: Told, accounts: Accounts) -> Amounts:
    bill = accounts.bills[told.id]
    bill.failed_minor = bill.claims.pop(told.facts["refund_id"])[1]
    return moved(bill, bill.failed_minor, -1)


def moved_to_balance(told: Told, accounts: Accounts) -> Amounts:
    """A refund that failed, or all that could not be refunded."""
    bill = accounts.bills[told.id]
    bill.moved_minor, bill.failed_minor = bill.failed_minor or -bill.due_minor, 0
    return moved(bill, bill.moved_minor, +1)


def disputed(told: Told, accounts: Accounts) -> Amounts:
    bill, payment_id, dispute_id = accounts.bills[told.id], told.facts["payment_id"], told.facts["dispute_id"]
    bill.claims[dispute_id] = (payment_id, accounts.charges[payment_id].gone[dispute_id])
    return moved(bill, bill.claims[dispute_id][1], +1)


def dispute_closed(told: Told, accounts: Accounts) -> Amounts:
    bill, dispute_id = accounts.bills[told.id], told.facts["dispute_id"]
    amount = bill.claims[dispute_id][1]
    if told.facts["outcome"] == "lost":
        return moved(bill, amount, 0)
    del bill.claims[dispute_id]
    return moved(bill, amount, -1)


def balance_changed(told: Told, accounts: Accounts) -> Amounts:
    used = told.kind == "BillingProfile.CreditBalanceUsed"
    amount = accounts.bills[told.facts["invoice_id"]].moved_minor
    accounts.balances[told.id] = accounts.balances.get(told.id, 0) + (-amount if used else amount)
    return {"amount_minor": amount, "balance_minor": accounts.balances[told.id]}


# Payments.


def asked(told: Told, accounts: Accounts) -> Amounts:
    """What becomes of an attempt becomes of its whole amount."""
    return accounts.charge_of(told)


def captured(told: Told, accounts: Accounts) -> Amounts:
    charge = accounts.charges[told.id]
    charge.captured_minor = charge.amount_minor
    return accounts.charge_of(told)


def refund_requested(told: Told, accounts: Accounts) -> Amounts:
    refund_id = told.facts["refund_id"]
    _, amount = accounts.bills[told.facts["invoice_id"]].claims[refund_id]
    accounts.charges[told.id].gone[refund_id] = amount
    return {"amount_minor": amount}


def refund_succeeded(told: Told, accounts: Accounts) -> Amounts:
    return {"amount_minor": accounts.charges[told.id].gone[told.facts["refund_id"]]}


def refund_failed(told: Told, accounts: Accounts) -> Amounts:
    return {"amount_minor": accounts.charges[told.id].gone.pop(told.facts["refund_id"])}


def taken_back(told: Told, accounts: Accounts) -> Amounts:
    """A bank says how much it takes back, and can take no more than is left of the payment."""
    charge = accounts.charges[told.id]
    amount = charge.gone[told.facts["dispute_id"]] = min(told.facts["amount_minor"], charge.refundable_minor)
    return {"amount_minor": amount}


def decided_on(told: Told, accounts: Accounts) -> Amounts:
    gone, dispute_id = accounts.charges[told.id].gone, told.facts["dispute_id"]
    return {"amount_minor": gone.pop(dispute_id) if told.facts["outcome"] == "won" else gone[dispute_id]}


def nothing(told: Told, accounts: Accounts) -> Amounts:  # noqa: ARG001 - of the same shape as the others
    return {}


FOLLOWS: dict[str, Callable[[Told, Accounts], Amounts]] = {
    "Subscription.SubscriptionPurchased": purchased,
    "Subscription.SubscriptionRenewed": renewed,
    "Subscription.CancellationScheduled": ending,
    "LicensePool.LicensePoolOpened": sized,
    "LicensePool.LicensesResized": sized,
    "Invoice.InvoiceIssued": lambda told, accounts: accounts.issue(told),
    "Invoice.CreditBalanceApplied": balance_applied,
    "Invoice.PaymentReceived": received,
    "Invoice.CollectionFailed": with_due,
    "Invoice.CollectionEnded": nothing,
    "Invoice.CollectionDeferred": with_due,
    "Invoice.CreditNoteIssued": lambda told, accounts: accounts.credit(told),
    "Invoice.RefundCounted": refund_counted,
    "Invoice.RefundReversed": refund_reversed,
    "Invoice.MovedToCreditBalance": moved_to_balance,
    "Invoice.PaymentDisputed": disputed,
    "Invoice.DisputeClosed": dispute_closed,
    "Invoice.InvoiceWrittenOff": with_due,
    "BillingProfile.CreditBalanceIncreased": balance_changed,
    "BillingProfile.CreditBalanceUsed": balance_changed,
    "Payment.PaymentAuthorized": asked,
    "Payment.PaymentCaptured": captured,
    "Payment.PaymentDeclined": asked,
    "Payment.PaymentActionRequired": asked,
    "Payment.PaymentOutcomeUnknown": asked,
    "Payment.AuthorizationReleased": asked,
    "Payment.RefundRequested": refund_requested,
    "Payment.RefundSucceeded": refund_succeeded,
    "Payment.RefundFailed": refund_failed,
    "Payment.PaymentDisputed": taken_back,
    "Payment.DisputeClosed": decided_on,
}
"""Every event that tells of money; an event that is not here, and tells an amount, is a difference."""
