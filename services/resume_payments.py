"""Resume payments: what a crash left open is carried on from history alone, also days later."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.organization import Organization
from domain.payment import IncreaseIntent, Payment, PurchaseIntent
from domain.refusals import Refusal
from services.books import Books, open_all_books
from services.buy_subscription import BuySubscription, buy_subscription
from services.charging import CONFIRMATION, handle_of, see_through, take_disputes, take_refund
from services.command import Actor, Command
from services.ledger import Ledger
from services.life_cycle import Recording
from services.ports import Receipt
from services.ports_payments import GatewayUnavailable
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.till import Till

RESUME_AFTER = timedelta(minutes=10)  # whoever requested it may still be at work

REQUESTS = (Payment.PaymentRequested.TOPIC, Payment.PaymentTriedAgain.TOPIC)


def resume_payment(ledger: Ledger, till: Till, organization: Organization, payment_id: UUID, *, at: datetime) -> None:
    """Brings a payment to its end: completes or lets go of what it pays for, and learns of refunds and disputes."""
    payment = ledger.payment(organization.id, payment_id)
    if payment.is_open and payment.intent:
        if at >= payment.requested_at + RESUME_AFTER:
            complete_command(ledger, till, organization, payment, at)
        return
    ledger.until_saved(organization.id, lambda: see_payment_through(ledger, till, organization, payment_id, at))


def complete_command(ledger: Ledger, till: Till, organization: Organization, payment: Payment, at: datetime) -> None:
    """Sends the command again that the payment is for; refused now, its hold is let go of."""
    if payment.status == "action_required" and at >= payment.requested_at + CONFIRMATION:
        payment_id = payment.id
        if ledger.until_saved(organization.id, lambda: given_up(ledger, till, organization, payment_id, at)):
            return
    requested = next(
        event for event in reversed(ledger.history.load_events(organization.id, payment.id)) if event.topic in REQUESTS
    )
    try:
        carry_on(ledger, till, payment, requested)
    except Refusal:
        return  # what became of it is recorded with the payment


def carry_on(ledger: Ledger, till: Till, payment: Payment, requested: RecordedEvent) -> Receipt:
    """The command as its intent and the envelope of the request say it.

    Nobody is there to agree to another amount: it is refused then, and its hold is let go of.
    """
    envelope = requested.envelope
    receipt = ledger.history.recorded(requested.organization_id, envelope.command_id, envelope.step)
    fingerprint = receipt.fingerprint if receipt else None
    who: dict[str, Any] = {
        "organization_id": requested.organization_id,
        "command_id": envelope.command_id,
        "actor": Actor(id=envelope.actor_id, role=envelope.actor_role, on_behalf_of=envelope.on_behalf_of),
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
    }
    command: Command
    match payment.intent:
        case PurchaseIntent(replaces_id=UUID() as replaced) as intent:
            command = ReactivateSubscription(
                **who,
                subscription_id=replaced,
                billing_profile_id=payment.billing_profile_id,
                licenses=intent.licenses,
                expected_amount_minor=intent.total_minor(intent.licenses),
            )
            return reactivate_subscription(ledger, command.as_recorded(fingerprint), till)
        case PurchaseIntent() as intent:
            command = BuySubscription(
                **who,
                offer_id=intent.offer_id,
                licenses=intent.licenses,
                channel=intent.channel,
                purchaser_id=intent.purchaser_id,
                billing_profile_id=payment.billing_profile_id,
                expected_amount_minor=intent.total_minor(intent.licenses),
            )
            return buy_subscription(ledger, command.as_recorded(fingerprint), till)
        case IncreaseIntent() as intent:
            # With another total in between it would take licenses away: that is for who wants so to say again.
            command = ResizeLicenses(
                **who,
                subscription_id=intent.subscription_id,
                total=intent.total,
                expected_total=intent.total_before,
                expected_amount_minor=intent.total_minor(intent.total - intent.total_before),
            )
            return resize_licenses(ledger, command.as_recorded(fingerprint), till)
        case _:
            raise TypeError(f"payment {payment.id} has no intent")


def given_up(ledger: Ledger, till: Till, organization: Organization, payment_id: UUID, at: datetime) -> bool:
    """Lets go of what its payer was asked to confirm and did not; false: they did, or somebody took it further."""
    payment = ledger.payment(organization.id, payment_id)
    handle = handle_of(payment, ledger.payment_method(organization.id, payment.payment_method_id))
    try:
        found = till.gateway.find(handle)
        if payment.status != "action_required" or (found and found.state != "action_required"):
            return False
        till.gateway.release(handle)
    except GatewayUnavailable:
        return True  # for now; the next run asks again
    payment.release("abandoned")
    books = Books(ledger, organization, ledger.billing_profile(organization.id, payment.billing_profile_id))
    books.payments[payment.id] = payment
    Recording(ledger, organization.id, at).save([books])
    return True


def see_payment_through(ledger: Ledger, till: Till, organization: Organization, payment_id: UUID, at: datetime) -> None:
    """Looks at the provider's own object: what it captured, refunded, and what banks have taken back."""
    payment = ledger.payment(organization.id, payment_id)
    profile_id = payment.billing_profile_id
    books = open_all_books(ledger, organization, [profile_id], {profile_id: [payment_id]})[0]
    recording = Recording(ledger, organization.id, at)
    see_through([books], till, at, lambda: recording.save([books]))
    payment = books.payments[payment_id]
    if payment.status != "captured":
        return
    try:
        found = till.gateway.find(handle_of(payment, books.method(payment.payment_method_id)))
    except GatewayUnavailable:
        return
    if found is None:
        return
    for refund in found.refunds:
        if refund.refund_id in payment.refunds:
            take_refund(books, payment, refund)
    take_disputes(books, till, payment, found)
    see_through([books], till, at, lambda: recording.save([books]))
