"""Offer: a product for a term, on a billing plan, at a price that changes by version."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from eventsourcing.domain import event
from pydantic import Field

from domain.calendar import MONTHS_OF_CYCLE, MONTHS_OF_TERM, BillingPlan, Term
from domain.kernel import Aggregate, AggregateBorn, Value
from domain.proration import DAILY_HALF_UP
from domain.refusals import EffectiveDateTooEarly, OfferNotOnSale, PlanLongerThanTerm, PriceVersionExists


class OfferTerms(Value):
    """What stays the same for the life of an offer."""

    product_id: str
    term: Term
    plan: BillingPlan
    currency: str = Field(pattern="^[A-Z]{3}$")
    currency_exponent: int = Field(ge=0, le=4)
    maximum: int = Field(ge=1)  # licenses of one subscription
    rule: str = DAILY_HALF_UP.name  # how amounts of parts of a cycle are computed and rounded


class PriceVersion(Value):
    """The price of one license per billing period, from a UTC date on."""

    number: int = Field(ge=1)
    unit_price_minor: int = Field(ge=0)
    effective_on: date


class PriceFacts(Value):
    """All that is needed to charge for a license, copied onto the events that need it."""

    offer_id: UUID
    product_id: str
    term: Term
    plan: BillingPlan
    currency: str
    currency_exponent: int
    unit_price_minor: int
    price_version: int
    maximum: int
    rule: str


class Offer(Aggregate):
    """Lives in the catalog. A term is charged at the price that is valid at its start."""

    TOPIC: ClassVar[str] = "seatledger.Offer"

    class OfferPublished(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Offer.OfferPublished"
        terms: OfferTerms
        first_price: PriceVersion

    class PriceVersionScheduled(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Offer.PriceVersionScheduled"
        price: PriceVersion

    class PriceVersionWithdrawn(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Offer.PriceVersionWithdrawn"
        price: PriceVersion

    class OfferWithdrawn(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Offer.OfferWithdrawn"
        withdrawn_on: date  # the first day without it
        withdrawn_on_before: date | None  # of a withdrawal that this one moves

    class OfferWithdrawalRevoked(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Offer.OfferWithdrawalRevoked"
        withdrawn_on: date

    class State(Aggregate.State):
        terms: OfferTerms
        prices: list[PriceVersion]
        versions: int
        withdrawn_on: date | None

    @classmethod
    def publish(cls, terms: OfferTerms, unit_price_minor: int, *, id: UUID, today: date) -> "Offer":  # noqa: A002
        """The first price takes effect at once: nobody bought at another."""
        if MONTHS_OF_CYCLE[terms.plan] > MONTHS_OF_TERM[terms.term]:
            raise PlanLongerThanTerm(plan=terms.plan, term=terms.term)
        first = PriceVersion(number=1, unit_price_minor=unit_price_minor, effective_on=today)
        return cls.born(cls.OfferPublished, id=id, terms=terms, first_price=first)

    # What may be asked.

    def refuse_when_withdrawn(self, day: date) -> None:
        """Whether a term may start on `day`."""
        if self.withdrawn_on is not None and day >= self.withdrawn_on:
            raise OfferNotOnSale(offer_id=self.id, why=f"it is withdrawn from {self.withdrawn_on} on")

    def price_on(self, day: date) -> PriceFacts:
        """The price facts of a term that starts on `day`."""
        self.refuse_when_withdrawn(day)
        valid = [price for price in self.prices if price.effective_on <= day]
        if not valid:
            raise OfferNotOnSale(offer_id=self.id, why=f"it has no price on {day}")
        price = max(valid, key=lambda version: version.effective_on)
        return PriceFacts(
            offer_id=self.id,
            price_version=price.number,
            unit_price_minor=price.unit_price_minor,
            **self.terms.model_dump(),
        )

    # Commands decide. Repeating one tells nothing.

    def schedule_price(self, unit_price_minor: int, *, effective_on: date, today: date) -> None:
        standing = {price.effective_on: price.unit_price_minor for price in self.prices}
        if standing.get(effective_on) == unit_price_minor:
            return
        self._refuse_before_tomorrow(effective_on, today)
        if effective_on in standing:
            raise PriceVersionExists(effective_on=effective_on)
        price = PriceVersion(number=self.versions + 1, unit_price_minor=unit_price_minor, effective_on=effective_on)
        self.tell(self.PriceVersionScheduled, price=price)

    def withdraw_price(self, *, effective_on: date, today: date) -> None:
        self._refuse_before_tomorrow(effective_on, today)
        for price in self.prices:
            if price.effective_on == effective_on:
                self.tell(self.PriceVersionWithdrawn, price=price)

    def withdraw(self, *, withdrawn_on: date, today: date) -> None:
        if withdrawn_on == self.withdrawn_on:
            return
        self._refuse_before_tomorrow(withdrawn_on, today)
        if self.withdrawn_on is not None:
            self._refuse_before_tomorrow(self.withdrawn_on, today)
        self.tell(self.OfferWithdrawn, withdrawn_on=withdrawn_on, withdrawn_on_before=self.withdrawn_on)

    def revoke_withdrawal(self, *, today: date) -> None:
        if self.withdrawn_on is not None:
            self._refuse_before_tomorrow(self.withdrawn_on, today)
            self.tell(self.OfferWithdrawalRevoked, withdrawn_on=self.withdrawn_on)

    @staticmethod
    def _refuse_before_tomorrow(effective_on: date, today: date) -> None:
        if effective_on <= today:
            raise EffectiveDateTooEarly(effective_on=effective_on, today=today)

    # Events apply. No rule below this line: history must always replay.

    @event(OfferPublished)
    def __init__(self, terms: OfferTerms, first_price: PriceVersion) -> None:
        self.terms = terms
        self.prices = [first_price]
        self.versions = 1
        self.withdrawn_on: date | None = None

    @event(PriceVersionScheduled)
    def _price_scheduled(self, price: PriceVersion) -> None:
        self.prices.append(price)
        self.versions = price.number

    @event(PriceVersionWithdrawn)
    def _price_withdrawn(self, price: PriceVersion) -> None:
        self.prices.remove(price)

    @event(OfferWithdrawn)
    def _withdrawn(self, withdrawn_on: date) -> None:
        self.withdrawn_on = withdrawn_on

    @event(OfferWithdrawalRevoked)
    def _withdrawal_revoked(self) -> None:
        self.withdrawn_on = None
