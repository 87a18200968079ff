"""Subscription: what was bought, by whom, until when, and how it ends."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
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
from domain.refusals import (
    CancellationWindowPassed,
    InvoicePastDue,
    NothingToReactivate,
    OfferNotOnSale,
    RecurringBillingOff,
    SubscriptionNotActive,
)

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
CancelWhen = Literal["now", "term_end", "taken_over"]
DisableReason = Literal["expired", "grace_ended"]
TakeOverReason = Literal["purchaser_left", "consolidation", "requested", "other"]
RecurringOffReason = Literal["requested", "cancellation_scheduled", "offer_withdrawn", "purchaser_left"]
ChangeDroppedReason = Literal["requested", "recurring_billing_off", "cancelled"]

Act = Literal[
    "increase",
    "schedule",
    "recurring",
    "renew",
    "decrease",
    "cancel",
    "assign",
    "unassign",
    "take over",
    "adopt",
    "move to",
]
ALLOWED: dict[Act, frozenset[LifeState]] = {
    "increase": frozenset({"active"}),
    "schedule": frozenset({"active", "in_grace"}),
    "recurring": frozenset({"active", "in_grace"}),
    "renew": frozenset({"active"}),
    "decrease": frozenset({"active", "in_grace"}),
    "cancel": frozenset({"active", "in_grace"}),
    "assign": frozenset({"active", "in_grace", "expired"}),
    "unassign": frozenset({"active", "in_grace", "expired", "disabled"}),
    "take over": frozenset({"active", "in_grace"}),
    "adopt": frozenset({"active", "expired", "disabled"}),  # the latter two to be reactivated
    "move to": frozenset({"active"}),
}

WITH_ACCESS: frozenset[LifeState] = frozenset({"active", "in_grace"})  # and are charged

EXPIRED_DAYS = 30  # between the end of the term and the end of access
DISABLED_DAYS = 90  # between the end of access and deletion


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
        billing_profile_id: UUID
        document_id: UUID  # the invoice
        replaces_id: UUID | None  # the subscription that this one reactivates

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
        when: CancelWhen
        reason: CancelReason
        feedback: FactRef | None
        licenses: int  # of the pool, as it closes
        cancelled_at: AwareDatetime
        ended_on: date
        credit_note_ids: tuple[UUID, ...]  # one for each invoice that was amended

    class SubscriptionRenewed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionRenewed"
        product_id: str
        offer_id: UUID
        purchaser_id: UUID
        billing_profile_id: UUID
        licenses: int
        licenses_before: int
        price: PriceFacts
        unit_price_minor_before: int
        term_number: int
        term: Period
        renewed_at: AwareDatetime
        cancellable_until: AwareDatetime
        document_id: UUID  # the invoice

    class ChargeFailed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.ChargeFailed"
        product_id: str
        purchaser_id: UUID
        document_id: UUID  # the invoice that is past due
        state: LifeState

    class ChargeRecovered(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.ChargeRecovered"
        product_id: str
        purchaser_id: UUID
        document_id: UUID
        state: LifeState

    class SubscriptionExpired(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionExpired"
        product_id: str
        purchaser_id: UUID
        expired_on: date
        disabled_on: date  # when access ends

    class SubscriptionDisabled(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionDisabled"
        product_id: str
        purchaser_id: UUID
        reason: DisableReason
        disabled_on: date
        deleted_on: date
        credit_note_ids: tuple[UUID, ...]

    class SubscriptionDeleted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionDeleted"
        product_id: str
        purchaser_id: UUID
        deleted_on: date

    class SubscriptionReactivated(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionReactivated"
        product_id: str
        purchaser_id: UUID
        replaced_by_id: UUID

    class SubscriptionAdopted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Subscription.SubscriptionAdopted"
        product_id: str
        purchaser_id: UUID
        purchaser_id_before: UUID
        billing_profile_id: UUID
        billing_profile_id_before: UUID
        channel: Channel
        reason: TakeOverReason

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
        billing_profile_id: UUID
        scheduled_total: int | None
        cancellation_scheduled: bool
        cancel_reason: CancelReason | None
        cancel_feedback: FactRef | None
        renews_if_withdrawn: bool
        unpaid: list[UUID]
        ends_next_on: date | None
        replaced_by_id: UUID | None
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
        billing_profile_id: UUID,
        invoice_id: UUID,
        replaces_id: UUID | None = None,
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
            document_id=invoice_id,
            replaces_id=replaces_id,
        )

    # What may be asked.

    def refuse_unless(self, act: Act) -> None:
        """Whether the state of life permits the act."""
        if self.life == "in_grace" and "in_grace" not in ALLOWED[act]:
            raise InvoicePastDue(invoice_ids=self.unpaid)
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

    def refuse_cancellation_now(self, *, removable_now: int, at: datetime) -> None:
        """Within the window of the purchase or of the last renewal."""
        self.refuse_unless("cancel")
        if at >= self.cancellable_until:
            raise CancellationWindowPassed(
                until=self.cancellable_until, removable_now=removable_now, ends_on=self.term.ends_on
            )

    def cancel(
        self,
        *,
        when: CancelWhen,
        reason: CancelReason,
        feedback: FactRef | None,
        licenses: int,
        credit_note_ids: Sequence[UUID],
        at: datetime,
    ) -> None:
        """Ends at once; what is credited was decided before."""
        self.refuse_unless("cancel")
        self._drop_schedule("cancelled")
        self._tell_cancelled(
            when=when,
            reason=reason,
            feedback=feedback,
            licenses=licenses,
            cancelled_at=at,
            ended_on=utc_date(at),
            credit_note_ids=tuple(credit_note_ids),
        )

    def renew(self, price: PriceFacts, *, licenses: int, licenses_before: int, invoice_id: UUID, at: datetime) -> None:
        """Starts the next term at the price that is valid at its start; its window counts from now."""
        number = self.term_number + 1
        self.tell(
            self.SubscriptionRenewed,
            offer_id=price.offer_id,
            billing_profile_id=self.billing_profile_id,
            licenses=licenses,
            licenses_before=licenses_before,
            price=price,
            unit_price_minor_before=self.price.unit_price_minor,
            term_number=number,
            term=term(self.anchor, price.term, number),
            renewed_at=at,
            cancellable_until=at + CHANGE_WINDOW,
            document_id=invoice_id,
            **self._whose(),
        )

    def fall_past_due(self, invoice_id: UUID) -> None:
        """A charge failed. Only who had access loses it later."""
        if invoice_id not in self.unpaid:
            state: LifeState = "in_grace" if self.life == "active" else self.life
            self.tell(self.ChargeFailed, document_id=invoice_id, state=state, **self._whose())

    def recover(self, invoice_id: UUID) -> None:
        """What was past due is paid, or credited; dates stay as they are."""
        if invoice_id in self.unpaid:
            state: LifeState = "active" if self.life == "in_grace" and self.unpaid == [invoice_id] else self.life
            self.tell(self.ChargeRecovered, document_id=invoice_id, state=state, **self._whose())

    def expire(self, *, licenses: int, at: datetime) -> None:
        """The term ended and nobody renews it. A cancellation that was scheduled has now ended it."""
        if self.life != "active":
            return
        if self.cancellation_scheduled and self.cancel_reason:
            self._tell_cancelled(
                when="term_end",
                reason=self.cancel_reason,
                feedback=self.cancel_feedback,
                licenses=licenses,
                cancelled_at=at,
                ended_on=self.term.ends_on,
                credit_note_ids=(),
            )
        disabled_on = self.term.end + timedelta(days=EXPIRED_DAYS)
        self.tell(self.SubscriptionExpired, expired_on=self.term.end, disabled_on=disabled_on, **self._whose())

    def disable(self, reason: DisableReason, *, on: date, credit_note_ids: Sequence[UUID] = ()) -> None:
        """Access ends; what is kept is deleted later."""
        if self.life in {"disabled", "deleted"}:
            return
        self._drop_schedule("recurring_billing_off")
        self.tell(
            self.SubscriptionDisabled,
            reason=reason,
            disabled_on=on,
            deleted_on=on + timedelta(days=DISABLED_DAYS),
            credit_note_ids=tuple(credit_note_ids),
            **self._whose(),
        )

    def delete(self, *, on: date) -> None:
        if self.life == "disabled":
            self.tell(self.SubscriptionDeleted, deleted_on=on, **self._whose())

    def refuse_reactivation(self) -> None:
        if self.life not in {"expired", "disabled"} or self.replaced_by_id:
            raise NothingToReactivate(subscription_id=self.id, state=self.life, reactivated_as=self.replaced_by_id)

    def reactivate_as(self, subscription_id: UUID) -> None:
        """A new subscription takes its place."""
        self.refuse_reactivation()
        self.tell(self.SubscriptionReactivated, replaced_by_id=subscription_id, **self._whose())

    def adopt(self, *, purchaser_id: UUID, billing_profile_id: UUID, reason: TakeOverReason) -> None:
        """An admin takes it over: it is central from now on, and billed on a profile of theirs."""
        self.refuse_unless("adopt")
        if (purchaser_id, billing_profile_id) != (self.purchaser_id, self.billing_profile_id):
            self.tell(
                self.SubscriptionAdopted,
                product_id=self.product.product_id,
                purchaser_id=purchaser_id,
                purchaser_id_before=self.purchaser_id,
                billing_profile_id=billing_profile_id,
                billing_profile_id_before=self.billing_profile_id,
                channel="central",
                reason=reason,
            )

    def _tell_cancelled(self, **facts: Any) -> None:
        self.tell(
            self.SubscriptionCancelled,
            offer_id=self.price.offer_id,
            pool_id=self.pool_id,
            **self._whose(),
            **facts,
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
        billing_profile_id: UUID,
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
        self.cancel_reason: CancelReason | None = None
        self.cancel_feedback: FactRef | None = None
        self.renews_if_withdrawn = False
        self.unpaid: list[UUID] = []
        self.ends_next_on: date | None = None  # the next step towards deletion
        self.replaced_by_id: UUID | None = None
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
    def _cancellation_scheduled(
        self, *, reason: CancelReason, feedback: FactRef | None, recurring_billing_before: bool
    ) -> None:
        self.cancellation_scheduled = True
        self.cancel_reason = reason
        self.cancel_feedback = feedback
        self.renews_if_withdrawn = recurring_billing_before

    @event(CancellationWithdrawn)
    def _cancellation_withdrawn(self) -> None:
        self.cancellation_scheduled = False

    @event(SubscriptionCancelled)
    def _cancelled(self, ended_on: date) -> None:
        self.recurring_billing = False
        self.cancellation_scheduled = False
        self.ends_next_on = ended_on + timedelta(days=DISABLED_DAYS)
        self.life = "disabled"

    @event(SubscriptionRenewed)
    def _renewed(self, price: PriceFacts, term_number: int, term: Period, cancellable_until: datetime) -> None:
        self.price = price
        self.term_number = term_number
        self.term = term
        self.cancellable_until = cancellable_until
        self.scheduled_total = None

    @event(ChargeFailed)
    def _charge_failed(self, document_id: UUID, state: LifeState) -> None:
        self.unpaid.append(document_id)
        self.life = state

    @event(ChargeRecovered)
    def _charge_recovered(self, document_id: UUID, state: LifeState) -> None:
        self.unpaid.remove(document_id)
        self.life = state

    @event(SubscriptionExpired)
    def _expired(self, disabled_on: date) -> None:
        self.ends_next_on = disabled_on
        self.life = "expired"

    @event(SubscriptionDisabled)
    def _disabled(self, deleted_on: date) -> None:
        self.recurring_billing = False
        self.ends_next_on = deleted_on
        self.life = "disabled"

    @event(SubscriptionDeleted)
    def _deleted(self) -> None:
        self.ends_next_on = None
        self.life = "deleted"

    @event(SubscriptionReactivated)
    def _reactivated(self, replaced_by_id: UUID) -> None:
        self.replaced_by_id = replaced_by_id

    @event(SubscriptionAdopted)
    def _adopted(self, purchaser_id: UUID, billing_profile_id: UUID, channel: Channel) -> None:
        self.purchaser_id = purchaser_id
        self.billing_profile_id = billing_profile_id
        self.channel = channel
