"""Due subscriptions: what decides when a subscription may be due next."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.license_pool import LicensePool
from domain.subscription import DISABLED_DAYS, LifeState, Subscription
from projections.projection import Table

WITH_ACCESS: tuple[LifeState, ...] = ("active", "in_grace")


class DueSubscription(NamedTuple):
    """A subscription that was not deleted."""

    organization_id: UUID
    subscription_id: UUID
    purchaser_id: UUID
    billing_profile_id: UUID
    life: LifeState
    recurring_billing: bool
    renews: bool  # it has access and recurring billing: a purchaser who leaves ends that
    term_end: date
    charged_until: date
    ends_next_on: date | None
    over_assigned_until: date | None


DUE_SUBSCRIPTIONS: Table[DueSubscription] = Table(
    name="due_subscriptions",
    row=DueSubscription,
    key=("organization_id", "subscription_id"),
    indexes=(("organization_id", "purchaser_id", "renews", "billing_profile_id"),),
)


def purchased(recorded: RecordedEvent, event: Subscription.SubscriptionPurchased) -> DueSubscription:
    return DueSubscription(
        organization_id=recorded.organization_id,
        subscription_id=event.originator_id,
        purchaser_id=event.purchaser_id,
        billing_profile_id=event.billing_profile_id,
        life="active",
        recurring_billing=event.recurring_billing,
        renews=event.recurring_billing,
        term_end=event.term.end,
        charged_until=event.term.start,  # until its pool tells
        ends_next_on=None,
        over_assigned_until=None,
    )


def changed(event: Any) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912 - a table of events
    """The columns that an event sets."""
    match event:
        case LicensePool.LicensePoolOpened() | LicensePool.LicensesCharged():
            return {"charged_until": event.charge.cycle.end}
        case LicensePool.LicensesResized():
            charged = {"charged_until": event.charge.cycle.end} if event.charge else {}
            return {"over_assigned_until": event.over_assigned_until, **charged}
        case LicensePool.LicenseUnassigned():
            return {"over_assigned_until": None} if event.assigned <= event.total else {}
        case LicensePool.LicensePoolClosed():
            return {"over_assigned_until": None}
        case Subscription.RecurringBillingTurnedOff():
            return {"recurring_billing": False}
        case Subscription.RecurringBillingTurnedOn():
            return {"recurring_billing": True}
        case Subscription.SubscriptionRenewed():
            return {"term_end": event.term.end}
        case Subscription.ChargeFailed() | Subscription.ChargeRecovered():
            return {"life": event.state}
        case Subscription.SubscriptionCancelled():
            ends_next_on = event.ended_on + timedelta(days=DISABLED_DAYS)
            return {"life": "disabled", "recurring_billing": False, "ends_next_on": ends_next_on}
        case Subscription.SubscriptionExpired():
            return {"life": "expired", "ends_next_on": event.disabled_on}
        case Subscription.SubscriptionDisabled():
            return {"life": "disabled", "recurring_billing": False, "ends_next_on": event.deleted_on}
        case Subscription.SubscriptionAdopted():
            return {"purchaser_id": event.purchaser_id, "billing_profile_id": event.billing_profile_id}
        case _:
            raise TypeError(f"due work does not fold {type(event).__name__}")


def due_on(standing: DueSubscription) -> date | None:
    """The earliest day on which it could ask for something."""
    days = [standing.over_assigned_until, standing.ends_next_on]
    if standing.life in WITH_ACCESS:
        days.append(standing.charged_until if standing.charged_until < standing.term_end else None)
        # In grace it neither renews nor expires, but a withdrawn offer turns its recurring billing off.
        days.append(standing.term_end if standing.recurring_billing or standing.life == "active" else None)
    return min((day for day in days if day), default=None)
