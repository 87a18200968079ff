"""Payment methods: the caller's stored cards, by the provider's tokens; a card's number never comes here."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field, StrictInt, model_validator
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.callers import ORGANIZATION, PurchaserChanges, PurchaserDoes, PurchaserReads
from adapters.http.pages import Cursor, Limit
from adapters.http.tags import tag_of
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.edit_payment_method import EditPaymentMethod, edit_payment_method
from services.list_payment_methods import ListPaymentMethods, list_payment_methods
from services.ports_reads import PaymentMethodRow
from services.remove_payment_method import RemovePaymentMethod, remove_payment_method
from services.show_payment_method import ShownPaymentMethod, ShowPaymentMethod, show_payment_method

routes = APIRouter(prefix=ORGANIZATION, tags=["payment methods"])

PaymentMethodId = Annotated[UUID, Path(description="The payment method.")]
Token = Annotated[str, Field(min_length=1, max_length=256)]
Holder = Annotated[str, Field(min_length=1, max_length=200, description="The name on the card; can be forgotten.")]
Address = Annotated[
    str, Field(min_length=1, max_length=1_000, description="The address that the bank knows; can be forgotten.")
]


@routes.get(
    "/payment-methods",
    operation_id="list_payment_methods",
    summary="List payment methods",
    response_model=Page[PaymentMethodRow],
)
def list_all(call: PurchaserReads, *, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The caller's own; nobody sees another member's."""
    question = ("payment methods",)
    place = call.place(cursor, of=question)
    query = call.wish(ListPaymentMethods, limit=limit, after=UUID(place[0]) if place else None)
    rows = list_payment_methods(call.house.ledger, call.house.billing_views, query)
    following = call.cursor(str(rows[-1].payment_method_id), of=question) if len(rows) == limit else None
    return shown(Page[PaymentMethodRow](items=list(rows), next=following))


@routes.get(
    "/payment-methods/{payment_method_id}",
    operation_id="show_payment_method",
    summary="Show one payment method",
    response_model=ShownPaymentMethod,
)
def show(call: PurchaserReads, payment_method_id: PaymentMethodId) -> Response:
    """For its owner, and for who may charge a billing profile that charges it. Its ETag is for changes of it."""
    query = call.wish(ShowPaymentMethod, payment_method_id=payment_method_id)
    found = show_payment_method(call.house.ledger, call.house.directory, query)
    return shown(found, tag=tag_of(found.version))


class NewCard(Body):
    """A card by the token that the payment provider gave for it."""

    token: Token = Field(description="One-time, of the provider's; never a number.", repr=False)
    holder: Holder | None = Field(default=None, repr=False)
    address: Address | None = Field(default=None, repr=False)


class PaymentMethodDone(Done):
    """What was done about a payment method."""

    payment_method_id: UUID


@routes.post(
    "/payment-methods",
    operation_id="add_payment_method",
    summary="Add a payment method",
    status_code=201,
    response_model=PaymentMethodDone,
)
def add(call: PurchaserDoes, body: NewCard) -> Response:
    """Nothing charges it yet. It must be issued in the organization's country."""
    command = call.wish(AddPaymentMethod, **body.given())
    receipt = add_payment_method(call.house.ledger, command, call.till)
    method_id = command.payment_method_id
    location = call.path_of(f"/payment-methods/{method_id}")
    return done(call, receipt, PaymentMethodDone, status=201, location=location, payment_method_id=method_id)


class LastMonth(Body):
    """The last month in which the card can be charged."""

    month: Annotated[StrictInt, Field(ge=1, le=12)]
    year: Annotated[StrictInt, Field(ge=2000, le=2999)]


class CardChanges(Body):
    """What changes; what is left out stays. The number never changes."""

    expiry: LastMonth | None = None
    holder: Holder | None = Field(default=None, repr=False)
    address: Address | None = Field(default=None, repr=False)
    security_code_token: Token | None = Field(
        default=None, description="The provider's one-time token for the security code; never the code.", repr=False
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(value is not None for value in self.given().values()):
            raise ValueError("say what changes: expiry, holder, address or security_code_token")
        return self


@routes.patch(
    "/payment-methods/{payment_method_id}",
    operation_id="edit_payment_method",
    summary="Edit a payment method",
    response_model=PaymentMethodDone,
)
def edit(call: PurchaserChanges, payment_method_id: PaymentMethodId, body: CardChanges) -> Response:
    """The provider takes the change over first; what is past due on the card is charged again at once."""
    changes = body.given()
    if body.expiry is not None:
        changes["expiry"] = body.expiry.model_dump()
    command = call.wish(EditPaymentMethod, [payment_method_id], payment_method_id=payment_method_id, **changes)
    receipt = edit_payment_method(call.house.ledger, command, call.till)
    return done(call, receipt, PaymentMethodDone, payment_method_id=payment_method_id)


@routes.delete(
    "/payment-methods/{payment_method_id}",
    operation_id="remove_payment_method",
    summary="Remove a payment method",
    response_model=PaymentMethodDone,
)
def remove(call: PurchaserDoes, payment_method_id: PaymentMethodId) -> Response:
    """Forgotten here and at the provider; refused while a billing profile charges it."""
    command = call.wish(RemovePaymentMethod, payment_method_id=payment_method_id)
    receipt = remove_payment_method(call.house.ledger, command, call.till)
    return done(call, receipt, PaymentMethodDone, payment_method_id=payment_method_id)
