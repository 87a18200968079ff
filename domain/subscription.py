"""Subscription: what was bought, by whom, until when, and how it ends."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import AwareDatetime

from domain.calendar import CHANGE_WINDOW, Period, cycles_after, term, utc_date
from domain.kernel import Aggregate, AggregateBorn
from domain.license_pool import refuse_total
from domain.member import Member
from domain.offer import PriceFacts
from domain.organization import Organization
from domain.personal import FactRef
from domain.product import ProductFacts
from domain.refusals import CancellationWindowPassed, OfferNotOnSale, RecurringBillingOff, SubscriptionNotActive

Channel = Literal["self_service", "central"]
LifeState = Literal["active", "in_grace", "expired", "disabled", "deleted"]
CancelReason = Literal[
    "too_expensive",
    "not_used_enough",
    "missing_features",
    "technical_problems",
    "bought_by_mistake",
    "bought_elsewhere",
    "project_ended",
    "other",
]
RecurringOffReason = Literal["requested", "cancellation_scheduled", "offer_withdrawn", "purchaser_left"]
ChangeDroppedReason = Literal["requested", "recurring_billing_off", "cancelled"]

Act = Literal["increase", "schedule", "recurring", "decrease", "cancel", "assign", "unassign"]
ALLOWED: dict[Act, frozenset[LifeState]] = {
    "increase": frozenset({"active"}),
    "schedule": frozenset({"active", "in_grace"}),
    "recurring": frozenset({"active", "in_grace"}),
    "decrease": frozenset({"active", "in_grace"}),
    "cancel": frozenset({"active", "in_grace"}),
    "assign": frozenset({"active", "in_grace", "expired"}),
    "unassign": frozenset({"active", "in_grace", "expired", "disabled"}),
}


class Subscription(Aggregate):
    """Renews term by term while recurring billing is on. Its licenses are in its pool."""

    TOPIC: ClassVar[str] = "seatledger.Subscription"

    class SubscriptionPurchased(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionPurchased"
        pool_id: UUID
        product: ProductFacts
        offer_id: UUID
        purchaser_id: UUID
        channel: Channel
        licenses: int
        price: PriceFacts
        anchor: date  # fixed for life
        term_number: int
        term: Period
        purchased_at: AwareDatetime
        cancellable_until: AwareDatetime
        recurring_billing: bool
        billing_profile_id: UUID | None = None
        document_id: UUID | None = None  # the invoice
        replaces_id: UUID | None = None  # the subscription that this one reactivates

    class RecurringBillingTurnedOff(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.RecurringBillingTurnedOff"
        product_id: str
        purchaser_id: UUID
        reason: RecurringOffReason
        ends_on: date

    class RecurringBillingTurnedOn(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.RecurringBillingTurnedOn"
        product_id: str
        purchaser_id: UUID
        renews_on: date

    class LicenseChangeScheduled(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.LicenseChangeScheduled"
        product_id: str
        total: int
        total_scheduled_before: int | None
        takes_effect_on: date

    class LicenseChangeWithdrawn(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.LicenseChangeWithdrawn"
        product_id: str
        total: int
        takes_effect_on: date
        reason: ChangeDroppedReason

    class CancellationScheduled(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.CancellationScheduled"
        product_id: str
        purchaser_id: UUID
        reason: CancelReason
        feedback: FactRef | None
        ends_on: date
        recurring_billing_before: bool  # what a withdrawal brings back
        still_owed_minor: int  # later cycles of this term, before tax
        currency: str

    class CancellationWithdrawn(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.CancellationWithdrawn"
        product_id: str
        purchaser_id: UUID

    class SubscriptionCancelled(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionCancelled"
        product_id: str
        offer_id: UUID
        pool_id: UUID
        purchaser_id: UUID
        when: Literal["now", "term_end"]
        reason: CancelReason
        feedback: FactRef | None
        licenses: int  # of the pool, as it closes
        cancelled_at: AwareDatetime
        ended_on: date
        document_id: UUID | None = None  # the credit note

    class State(Aggregate.State):
        pool_id: UUID
        product: ProductFacts
        purchaser_id: UUID
        channel: Channel
        price: PriceFacts
        anchor: date
        term_number: int
        term: Period
        cancellable_until: datetime
        recurring_billing: bool
        billing_profile_id: UUID | None
        scheduled_total: int | None
        cancellation_scheduled: bool
        renews_if_withdrawn: bool
        life: LifeState

    @classmethod
    def purchase(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        pool_id: UUID,
        organization: Organization,
        purchaser: Member,
        product: ProductFacts,
        price: PriceFacts,
        licenses: int,
        channel: Channel,
        billing_profile_id: UUID | None,
        at: datetime,
    ) -> "Subscription":
        """Buys; a self-service purchase needs a product that offers it and an organization that allows it."""
        purchaser.refuse_unless_purchaser()
        if price.currency != organization.facts.currency:
            why = f"it is sold in {price.currency} and the organization pays in {organization.facts.currency}"
            raise OfferNotOnSale(offer_id=price.offer_id, why=why)
        if channel == "self_service":
            if not product.self_service:
                raise OfferNotOnSale(offer_id=price.offer_id, why=f"{product.name} is not sold by self-service")
            organization.refuse_unless_self_service(product.product_id)
        refuse_total(licenses, price)
        anchor = utc_date(at)
        return cls.born(
            cls.SubscriptionPurchased,
            id=id,
            pool_id=pool_id,
            product=product,
            offer_id=price.offer_id,
            purchaser_id=purchaser.id,
            channel=channel,
            licenses=licenses,
            price=price,
            anchor=anchor,
            term_number=0,
            term=term(anchor, price.term, 0),
            purchased_at=at,
            cancellable_until=at + CHANGE_WINDOW,
            recurring_billing=True,
            billing_profile_id=billing_profile_id,
        )

    # What may be asked.

    def refuse_unless(self, act: Act) -> None:
        """Whether the state of life permits the act."""
        if self.life not in ALLOWED[act]:
            raise SubscriptionNotActive(subscription_id=self.id, state=self.life)

    def still_owed(self, licenses: int, at: datetime) -> int:
        """What later charge cycles of this term cost before tax, in minor units: a term is owed as a whole."""
        cycles = cycles_after(self.anchor, self.price.plan, max(utc_date(at), self.anchor), self.term.end)
        return cycles * licenses * self.price.unit_price_minor

    # Commands decide. Repeating one tells nothing.

    def schedule_licenses(self, total: int) -> None:
        """Sets the absolute total for the next renewal, also below what is assigned."""
        self.refuse_unless("schedule")
        if not self.recurring_billing:
            raise RecurringBillingOff(subscription_id=self.id)
        refuse_total(total, self.price)
        if total != self.scheduled_total:
            self.tell(
                self.LicenseChangeScheduled,
                product_id=self.product.product_id,
                total=total,
                total_scheduled_before=self.scheduled_total,
                takes_effect_on=self.term.end,
            )

    def withdraw_scheduled_licenses(self) -> None:
        self.refuse_unless("schedule")
        self._drop_schedule("requested")

    def turn_recurring_billing_off(self, reason: RecurringOffReason = "requested") -> None:
        self.refuse_unless("recurring")
        if self.recurring_billing:
            self._drop_schedule("recurring_billing_off")
            self.tell(self.RecurringBillingTurnedOff, reason=reason, ends_on=self.term.ends_on, **self._whose())

    def turn_recurring_billing_on(self) -> None:
        """Also withdraws a cancellation at term end: both say the same."""
        self.refuse_unless("recurring")
        if self.cancellation_scheduled:
            self.tell(self.CancellationWithdrawn, **self._whose())
        if not self.recurring_billing:
            self.tell(self.RecurringBillingTurnedOn, renews_on=self.term.end, **self._whose())

    def withdraw_cancellation(self) -> None:
        """Recurring billing is again what it was before: nobody is charged for a renewal never asked for."""
        if not self.cancellation_scheduled:
            return
        self.refuse_unless("recurring")
        if self.renews_if_withdrawn:
            self.turn_recurring_billing_on()
        else:
            self.tell(self.CancellationWithdrawn, **self._whose())

    def cancel_at_term_end(
        self, *, reason: CancelReason, feedback: FactRef | None, licenses: int, at: datetime
    ) -> None:
        self.refuse_unless("cancel")
        if self.cancellation_scheduled:
            return
        recurring_billing_before = self.recurring_billing
        if recurring_billing_before:
            self._drop_schedule("cancelled")
            ends_on = self.term.ends_on
            self.tell(self.RecurringBillingTurnedOff, reason="cancellation_scheduled", ends_on=ends_on, **self._whose())
        self.tell(
            self.CancellationScheduled,
            recurring_billing_before=recurring_billing_before,
            reason=reason,
            feedback=feedback,
            ends_on=self.term.ends_on,
            still_owed_minor=self.still_owed(licenses, at),
            currency=self.price.currency,
            **self._whose(),
        )

    def cancel_now(
        self, *, reason: CancelReason, feedback: FactRef | None, licenses: int, removable_now: int, at: datetime
    ) -> None:
        """Ends at once, within the window of the purchase or of the last renewal."""
        self.refuse_unless("cancel")
        if at >= self.cancellable_until:
            raise CancellationWindowPassed(
                until=self.cancellable_until, removable_now=removable_now, ends_on=self.term.ends_on
            )
        self._drop_schedule("cancelled")
        self.tell(
            self.SubscriptionCancelled,
            product_id=self.product.product_id,
            offer_id=self.price.offer_id,
            pool_id=self.pool_id,
            purchaser_id=self.purchaser_id,
            when="now",
            reason=reason,
            feedback=feedback,
            licenses=licenses,
            cancelled_at=at,
            ended_on=utc_date(at),
        )

    def _whose(self) -> dict[str, object]:
        return {"product_id": self.product.product_id, "purchaser_id": self.purchaser_id}

    def _drop_schedule(self, reason: ChangeDroppedReason) -> None:
        if self.scheduled_total is not None:
            self.tell(
                self.LicenseChangeWithdrawn,
                product_id=self.product.product_id,
                total=self.scheduled_total,
                takes_effect_on=self.term.end,
                reason=reason,
            )

    # Events apply. No rule below this line: history must always replay.

    @event(SubscriptionPurchased)
    def __init__(
        self,
        *,
        pool_id: UUID,
        product: ProductFacts,
        purchaser_id: UUID,
        channel: Channel,
        price: PriceFacts,
        anchor: date,
        term_number: int,
        term: Period,
        cancellable_until: datetime,
        recurring_billing: bool,
        billing_profile_id: UUID | None,
    ) -> None:
        self.pool_id = pool_id
        self.product = product
        self.purchaser_id = purchaser_id
        self.channel: Channel = channel
        self.price = price
        self.anchor = anchor
        self.term_number = term_number
        self.term = term
        self.cancellable_until = cancellable_until
        self.recurring_billing = recurring_billing
        self.billing_profile_id = billing_profile_id
        self.scheduled_total: int | None = None
        self.cancellation_scheduled = False
        self.renews_if_withdrawn = False
        self.life: LifeState = "active"

    @event(RecurringBillingTurnedOff)
    def _recurring_billing_off(self) -> None:
        self.recurring_billing = False

    @event(RecurringBillingTurnedOn)
    def _recurring_billing_on(self) -> None:
        self.recurring_billing = True

    @event(LicenseChangeScheduled)
    def _change_scheduled(self, total: int) -> None:
        self.scheduled_total = total

    @event(LicenseChangeWithdrawn)
    def _change_withdrawn(self) -> None:
        self.scheduled_total = None

    @event(CancellationScheduled)
    def _cancellation_scheduled(self, recurring_billing_before: bool) -> None:  # noqa: FBT001 - the event's word
        self.cancellation_scheduled = True
        self.renews_if_withdrawn = recurring_billing_before

    @event(CancellationWithdrawn)
    def _cancellation_withdrawn(self) -> None:
        self.cancellation_scheduled = False

    @event(SubscriptionCancelled)
    def _cancelled(self) -> None:
        self.recurring_billing = False
        self.cancellation_scheduled = False
        self.life = "disabled"
