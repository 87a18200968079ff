"""What never goes out: nothing of a card, nobody's words, nothing by which a provider knows a payment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from adapters.kafka.public_events import PUBLIC_TYPES
from adapters.kafka.public_mapper import public_content
from adapters.kafka.public_values import dispute_id_of
from tests.adapters.kafka.test_public_events import recorded
from tests.tidy.topics import built, named_events

CARD = {"card", "token", "brand", "last4", "expiry", "expiry_before", "month", "year", "holder", "changed", "provider"}
PERSONAL = {
    "address",
    "tax_id",
    "feedback",
    "details",
    "user_name",
    "display_name",
    "fact_id",
    "commitment",
    "actor_id",
}
WORDS_OF_OTHERS = {"po_number", "po_number_before", "code", "reference"}
INSIDE = CARD | PERSONAL | WORDS_OF_OTHERS | {"intent", "on_session"}

TEXTS_THAT_GO_OUT = {
    "product_id",
    "product_name",
    "name",  # of a product or a tax; a payer's is a reference to a personal fact
    "sku_part_number",
    "number",
    "invoice_number",
    "prefix",
    "rule",
    "currency",
    "country_before",
}
"""Every field of free text that others may read. Another one: may a person's name, or a card, ever stand in it?"""

SAMPLES = [
    pytest.param(topic, state, id=f"{topic.removeprefix('seatledger.')}-{number}")
    for topic, kind in sorted(named_events().items())
    for number, state in enumerate(built(topic, kind))
]
A_FACT = {"fact_id": "ca4a0000-ca4a-4a4a-8a4a-ca4aca4aca4a", "commitment": "ca4a" * 16}
A_CARD = {"last4": "9173", "month": 11, "year": 2987}  # no other sample holds these digits


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a model and of the models in it, with the path to it."""
    for name, field in model.model_fields.items():
        yield name, f"{path}{name}"
        for inner in models_in(field.annotation):
            yield from fields(inner, f"{path}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def with_canaries(state: Any, path: str = "") -> Any:
    """The state with something to be recognized in every personal fact, card and free text.

    Free texts of samples are the path to them; that is how they are told from words, codes and ids.
    """
    match state:
        case {"fact_id": str(), "commitment": str()}:
            return A_FACT
        case dict():
            return {
                name: A_CARD.get(name) or with_canaries(inner, f"{path}.{name}".lstrip("."))
                for name, inner in state.items()
            }
        case list():
            return [with_canaries(inner, path) for inner in state]
        case str() if state == path:
            return f"canary<{path}>"
        case _:
            return state


def names_in(state: Any) -> Iterator[str]:
    match state:
        case dict():
            for name, inner in state.items():
                yield name
                yield from names_in(inner)
        case list():
            for inner in state:
                yield from names_in(inner)
        case _:
            return


@pytest.mark.parametrize("topic", sorted(PUBLIC_TYPES))
def test_no_public_model_has_a_field_for_it_however_deep(topic: str) -> None:
    told = [path for name, path in fields(PUBLIC_TYPES[topic].model) if name in INSIDE]
    assert not told, f"{topic} would tell {told}"


def test_what_must_stay_inside_is_there_to_stay() -> None:
    held = {name for case in SAMPLES for name in names_in(case.values[1])}
    assert INSIDE - {"actor_id"} <= held, INSIDE - held


@pytest.mark.parametrize(("topic", "state"), SAMPLES)
def test_no_canary_leaves(topic: str, state: dict[str, Any]) -> None:
    _, value = public_content(recorded(topic, with_canaries(state)))
    sent = value.decode()
    assert not [canary for canary in (*A_FACT.values(), A_CARD["last4"], str(A_CARD["year"])) if str(canary) in sent]
    texts = {text.split(">")[0].rpartition(".")[2] for text in sent.split("canary<")[1:]}
    assert texts <= TEXTS_THAT_GO_OUT, f"{topic} tells others a text that nobody decided upon: {texts}"


def test_of_a_payer_only_the_country_goes_out() -> None:
    payer = {"country": "DE", "name": A_FACT, "address": A_FACT, "tax_id": A_FACT}
    state = {"bill_to": payer, "country_before": "US"}
    _, value = public_content(recorded("seatledger.BillingProfile.BillToChanged", state))
    assert json.loads(value) == {
        "billing_profile_id": "00000000-0000-0000-0000-000000000002",
        "bill_to": {"country": "DE"},
        "country_before": "US",
    }


def test_a_dispute_has_one_id_outside_which_is_not_the_providers() -> None:
    amount = {"billing_profile_id": str(uuid4()), "amount_minor": 4_200, "currency": "USD", "dispute_id": "dp_canary"}
    on_payment = {**amount, "invoice_id": str(uuid4())}
    on_invoice = {**amount, "payment_id": str(uuid4()), "due_minor": 4_200, "state": "open"}
    told = {
        "seatledger.Payment.PaymentDisputed": on_payment,
        "seatledger.Payment.DisputeClosed": {**on_payment, "outcome": "won"},
        "seatledger.Invoice.PaymentDisputed": on_invoice,
        "seatledger.Invoice.DisputeClosed": {**on_invoice, "outcome": "won"},
    }
    sent = [public_content(recorded(topic, state)).value for topic, state in told.items()]
    assert not [value for value in sent if b"canary" in value]
    assert {UUID(json.loads(value)["dispute_id"]) for value in sent} == {dispute_id_of("dp_canary")}
