"""What happens to a subscription over its life, as facts of its tests."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID

from domain.subscription import DisableReason, Subscription, TakeOverReason
from tests.examples import (
    A_CREDIT_NOTE,
    ANOTHER_INVOICE,
    BEN,
    CHRIS,
    FEEDBACK,
    INVOICE,
    POWER_BI_PRO,
    THE_SAME_DAY,
    an_id,
)

Deed = Callable[[Subscription], None]

OF_CHRIS = {"product_id": "CFQ7TTC0H9MP", "purchaser_id": CHRIS}
RENEWED_AT = datetime(2025, 2, 28, 1, tzinfo=UTC)
DEARER = POWER_BI_PRO.model_copy(update={"unit_price_minor": 1_500, "price_version": 2})
ANOTHER_SUBSCRIPTION, BENS_PROFILE = an_id(101), an_id(102)


def renewed(at: datetime = RENEWED_AT, *, licenses: int = 3) -> Deed:
    return lambda subscription: subscription.renew(
        DEARER, licenses=licenses, licenses_before=3, invoice_id=ANOTHER_INVOICE, at=at
    )


def past_due(invoice_id: UUID = INVOICE) -> Deed:
    return lambda subscription: subscription.fall_past_due(invoice_id)


def recovered(invoice_id: UUID = INVOICE) -> Deed:
    return lambda subscription: subscription.recover(invoice_id)


def expired(subscription: Subscription) -> None:
    subscription.expire(licenses=3, at=RENEWED_AT)


def disabled(reason: DisableReason = "expired", on: date = date(2025, 3, 30)) -> Deed:
    return lambda subscription: subscription.disable(reason, on=on, credit_note_ids=[A_CREDIT_NOTE])


def deleted(subscription: Subscription) -> None:
    subscription.delete(on=date(2025, 6, 28))


def reactivated(subscription: Subscription) -> None:
    subscription.reactivate_as(ANOTHER_SUBSCRIPTION)


def adopted(reason: TakeOverReason = "purchaser_left") -> Deed:
    return lambda subscription: subscription.adopt(purchaser_id=BEN, billing_profile_id=BENS_PROFILE, reason=reason)


def scheduled(total: int) -> Deed:
    return lambda subscription: subscription.schedule_licenses(total)


def cancelled_now(subscription: Subscription) -> None:
    subscription.cancel(
        when="now", reason="other", feedback=None, licenses=3, credit_note_ids=[A_CREDIT_NOTE], at=THE_SAME_DAY
    )


def cancelled_at_term_end(subscription: Subscription) -> None:
    subscription.cancel_at_term_end(reason="project_ended", feedback=FEEDBACK.ref, licenses=3, at=THE_SAME_DAY)


def recurring_off(subscription: Subscription) -> None:
    subscription.turn_recurring_billing_off("purchaser_left")
