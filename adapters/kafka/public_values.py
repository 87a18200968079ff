"""The values inside public events: what goes out of a value of the domain is what is named here, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar, get_args
from uuid import UUID, uuid5

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.fields import FieldInfo

from domain.invoice_line import LineKind
from domain.kernel import AggregateEvent
from domain.product import Policy
from domain.proration import DAILY_HALF_UP


def words(known: Any) -> FieldInfo:
    """A word out of a list that may grow: consumers must accept words that they do not know."""
    info: FieldInfo = Field(json_schema_extra={"x-extensible-enum": list(get_args(known))})
    return info


Own = Field(validation_alias="originator_id")  # the id of the aggregate, under its own name

DISPUTES = UUID("5b0a3c1e-5a0d-5c7e-9f52-3a9d1e6f8b47")  # the namespace of dispute ids


def dispute_id_of(reference: object) -> UUID:
    """The id of a dispute: the same in all events about it, and not the provider's reference, which stays inside."""
    return uuid5(DISPUTES, str(reference))


def _own_dispute_id(value: object, reading: ValidationInfo) -> object:
    """Of the domain's event it is made; a message that is read back has it already."""
    return value if reading.mode == "json" else dispute_id_of(value)


DisputeId = Annotated[UUID, BeforeValidator(_own_dispute_id)]


class PublicValue(BaseModel):
    """Reads its fields, and only those, from the attributes of a value of the domain."""

    model_config = ConfigDict(frozen=True, from_attributes=True, extra="ignore")


class Price(PublicValue):
    """The price of one license per billing period and the rule for parts of it, as they hold for the term."""

    offer_id: UUID
    term: Annotated[str, Field(examples=["P1M", "P1Y"])]
    plan: Annotated[str, Field(examples=["monthly", "annual"])]
    currency: str
    currency_exponent: int
    unit_price_minor: int
    price_version: int
    rule: Annotated[str, Field(examples=[DAILY_HALF_UP.name])]


class Batch(PublicValue):
    """Licenses that came together."""

    number: int
    licenses: int
    opened_at: datetime


class Period(PublicValue):
    """Days from `start` to before `end`."""

    start: date
    end: date


class Charge(PublicValue):
    """The line of an invoice that licenses are charged with, for the days of a cycle."""

    invoice_id: UUID
    line: int
    batch: int
    cycle: Period


class InvoiceLine(PublicValue):
    """A charge for licenses of one subscription: half_up(unit price · quantity · days / cycle days), by the rule."""

    number: int
    kind: Annotated[str, words(LineKind)]
    subscription_id: UUID
    product_id: str
    product_name: str
    offer_id: UUID
    batch: int
    period: Period
    days: int
    cycle_days: int
    quantity: int
    unit_price_minor: int
    price_version: int
    rule: Annotated[str, Field(examples=[DAILY_HALF_UP.name])]
    amount_minor: int


class CreditLine(PublicValue):
    """Licenses taken back from a line of the invoice, with the days that are credited for them."""

    line: int
    quantity_before: int
    quantity: int
    days: int
    amount_minor: int


class BillTo(PublicValue):
    """Where the payer is taxed; who it is does not go out."""

    country: str


class TaxRate(PublicValue):
    """The rate of a document, in parts per million."""

    country: str
    name: str
    rate_ppm: int


class Allocation(PublicValue):
    """The part of a payment that is for one invoice."""

    invoice_id: UUID
    amount_minor: int


class ProductDescription(PublicValue):
    """A product as its publisher names it."""

    product_id: str
    name: str
    sku_part_number: str
    sku_id: UUID | None
    self_service: bool
    policies: tuple[Annotated[str, words(Policy)], ...]


class OfferTerms(PublicValue):
    """What stays the same for the life of an offer."""

    product_id: str
    term: Annotated[str, Field(examples=["P1M", "P1Y"])]
    plan: Annotated[str, Field(examples=["monthly", "annual"])]
    currency: str
    currency_exponent: int
    maximum: int
    rule: Annotated[str, Field(examples=[DAILY_HALF_UP.name])]


class PriceVersion(PublicValue):
    """The price of one license per billing period, from a UTC date on."""

    number: int
    unit_price_minor: int
    effective_on: date


class OrganizationDescription(PublicValue):
    """What is fixed when an organization is created."""

    handle: str
    country: str
    currency: str
    currency_exponent: int
    simulation: bool


class PublicEvent(PublicValue):
    """The value of a message."""


@dataclass(frozen=True)
class PublicType:
    """A name in the contract with the model of its values."""

    name: str
    model: type[PublicEvent]
    opaque_before: str | None = None  # the release since which the event is not opaque any more; None: it never was

    @property
    def schema_id(self) -> str:
        """The identifier of the JSON Schema of the values."""
        return "urn:seatledger:event:" + self.name.removeprefix("seatledger.")

    @cached_property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The headers of every message of this type."""
        return ("ce_type", self.name.encode()), ("ce_dataschema", self.schema_id.encode())


DECLARED: dict[str, PublicType] = {}
"""The types of the first edition, by the stored name of the event; filled by `public`."""

LATER: dict[int, dict[str, PublicType]] = {}
"""What later editions call differently, by edition and stored name: see docs/decisions/0016-event-versions.md."""

M = TypeVar("M", bound=type[PublicEvent])


def public(
    name: str, *, of: type[AggregateEvent], edition: int = 1, opaque_before: str | None = None
) -> Callable[[M], M]:
    """Declares the model to be what goes out of an event of the domain, under a name that never changes.

    An event that had been opaque until a release says so: messages from before stay right.
    """

    def declare(model: M) -> M:
        stored_name: str = of.TOPIC
        declared = DECLARED if edition == 1 else LATER.get(edition, {})
        known = [kind.name for types in (DECLARED, *LATER.values()) for kind in types.values()]
        if stored_name in declared or name in known:
            raise ValueError(f"{stored_name} or {name} is declared twice")
        (DECLARED if edition == 1 else LATER.setdefault(edition, {}))[stored_name] = PublicType(
            name, model, opaque_before
        )
        return model

    return declare
