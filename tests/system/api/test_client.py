"""The story of a subscription, told by a client that was generated from the document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.http.app import routed
from tests.system.api.generated import Caller, Generated, generate
from tests.system.api.house import RunningHouse

CHRIS, BEN, DAVID = "chris@contoso.com", "ben@contoso.com", "david@contoso.com"
HANDLE = "generated-contoso"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    said = generate(folder)
    assert "warning" not in said.lower(), said
    return folder


@pytest.fixture(scope="session")
def generated(folder: Path) -> Generated:
    return Generated(folder)


def test_every_operation_has_a_call(generated: Generated) -> None:
    document = routed().openapi()
    ids = {one["operationId"] for operations in document["paths"].values() for one in operations.values()}
    assert set(generated.operations) == ids


@pytest.fixture
def callers(house: RunningHouse, generated: Generated) -> Iterator[list[Caller]]:
    """An operator, a service, Chris and Ben."""
    issuer, address = house.anybody.issuer, house.process.address
    tokens = [issuer.issue(None, None, role, 1) for role in ("operator", "service")]
    tokens += [issuer.issue(HANDLE, who, None, 1) for who in (CHRIS, BEN)]
    with ExitStack() as stack:
        yield [stack.enter_context(generated.caller(address, token, HANDLE)) for token in tokens]


def test_the_story(callers: list[Caller], generated: Generated) -> None:
    models = generated.models
    operator, service, chris, ben = callers

    first_admin = models.MemberNamed(user_name=CHRIS, display_name="Chris Green")
    founding = models.Founding(country="US", currency="USD", first_admin=first_admin)
    founded = operator.gets("create_organization", body=founding)
    assert isinstance(founded.organization_id, UUID)
    names = [models.MemberNamed(user_name=user_name) for user_name in (BEN, DAVID)]
    joined = chris.gets("import_members", body=models.Directory(rows=names))
    assert [event.type_ for event in joined.events] == ["seatledger.member.member_added.v1"] * 2
    [david] = chris.gets("list_members", name=DAVID).items
    assert isinstance(david, models.Member)
    assert str(david.member_id) in [event.subject for event in joined.events]

    card = ben.gets("add_payment_method", body=models.NewCard(token="tok_visa"))
    new_profile = models.NewProfile(payment_method_id=card.payment_method_id, country="US")
    assert isinstance(ben.gets("open_billing_profile", body=new_profile).billing_profile_id, UUID)
    bought = buys(ben, operator, models)
    subscription = bought.subscription_id

    assigned = resized_and_assigned(ben, bought, david.member_id, models)
    listed = ben.gets("list_purchases", at_least=assigned.position)
    [purchase] = listed.items
    assert isinstance(purchase, models.Purchase)
    assert (purchase.licenses_total, purchase.licenses_assigned, purchase.purchaser.user_name) == (105, 1, BEN)
    assert isinstance(purchase.purchased_at, datetime)
    assert ben.gets("list_purchases", limit=1, seatledger_role=models.Role.PURCHASER).items
    invoice = ben.gets("show_invoice", bought.invoice_id)
    assert isinstance(invoice, models.ShownInvoice)
    page = ben.gets("print_invoice", bought.invoice_id)
    assert page.payload.read(5) == b"%PDF-"
    assert len(ben.gets("list_invoices", at_least=assigned.position).items) == 2

    ending = models.Cancellation(when=models.CancellationWhen.NOW, reason=models.CancellationReason.OTHER)
    key = str(uuid4())
    cancelled = ben.asks("cancel_subscription", subscription, body=ending, idempotency_key=key)
    assert "seatledger.subscription.subscription_cancelled.v1" in [one.type_ for one in cancelled.parsed.events]
    again = ben.asks("cancel_subscription", subscription, body=ending, idempotency_key=key)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (cancelled.content, "true")
    assert ben.asks("show_purchase", subscription, at_least=cancelled.parsed.position).parsed.state == "disabled"
    answered = [event for told in (joined, bought, assigned, cancelled.parsed) for event in told.events]
    followed(service, founded, answered)


def buys(ben: Caller, operator: Caller, models: Any) -> Any:
    """A hundred licenses, after a quote, and not for another amount."""
    products = operator.gets("list_products", on_sale=True, name="Power BI Pro").items
    offers = [offer for product in products if product.name == "Power BI Pro" for offer in product.offers]
    offer_id = next(offer.offer_id for offer in offers if offer.price and offer.terms.currency == "USD")
    quoted = ben.gets("quote_purchase", offer_id=offer_id, licenses=100)
    assert isinstance(quoted, models.Quote)
    order = models.Order(offer_id=offer_id, licenses=100, expected_amount_minor=1)
    assert ben.is_refused("quote_changed", "buy_subscription", body=order).facts.additional_properties
    order.expected_amount_minor = quoted.total_minor
    bought = ben.gets("buy_subscription", body=order)
    assert isinstance(bought, models.Bought)
    return bought


def resized_and_assigned(ben: Caller, bought: Any, user: UUID, models: Any) -> Any:
    """105 licenses, decided on what was seen, and one of them assigned; the tag of before is stale then."""
    subscription = bought.subscription_id
    seen = ben.asks("show_purchase", subscription, at_least=bought.position)
    resize = {"body": models.NewTotal(total=105), "if_match": seen.headers["ETag"]}
    ben.gets("resize_licenses", subscription, **resize)
    ben.is_refused("changed_meanwhile", "resize_licenses", subscription, **resize)
    stranger = models.UsersNamed(user_ids=[uuid4()])
    ben.is_refused("user_not_in_organization", "assign_licenses", subscription, body=stranger)
    assigned = ben.gets("assign_licenses", subscription, body=models.UsersNamed(user_ids=[user]))
    assert assigned.events[0].time.tzinfo == UTC
    return assigned


def followed(service: Caller, founded: Any, answered: list[Any]) -> None:
    """The feed tells what the answers told, as they told it, in order, and more."""
    told: list[Any] = []
    after = int(founded.events[0].position) - 1
    while answered[-1].id not in [event.id for event in told]:
        batch = service.asks("follow_events", after=after, wait_s=5)
        told += [event for event in batch.parsed if event.organizationid == str(founded.organization_id)]
        after = int(batch.headers["Seatledger-Position"])
    by_id = {event.id: event for event in told}
    assert all(by_id[event.id] == event for event in answered)
    assert [int(event.sequence) for event in told] == list(range(1, len(told) + 1))
