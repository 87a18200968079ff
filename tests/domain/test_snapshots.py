"""A frozen aggregate thaws into the same one, for every aggregate there is."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.auditor_access import AuditorAccess
from domain.billing_profile import BillingProfile, BillTo
from domain.invoice import Invoice
from domain.invoice_line import Removal
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.organization import Organization
from domain.payment import Payment
from domain.payment_method import Expiry, PaymentMethod
from domain.subscription import Subscription
from tests.examples import (
    A_BILLING_PROFILE,
    A_CREDIT_NOTE,
    A_GUEST,
    A_MEMBER,
    A_PAYMENT,
    A_PAYMENT_METHOD,
    A_POOL_OF_THREE,
    A_PRODUCT,
    A_PURCHASE,
    A_REFUND,
    A_SIMULATION,
    A_SUBSCRIPTION,
    A_WEEK_LATER,
    AN_INCREASE,
    AN_INVOICE,
    AN_OFFER,
    ANOTHER_INVOICE,
    BEN,
    BILLING_PROFILE,
    CARD_HOLDER,
    CHRIS,
    CONTOSO,
    FEEDBACK,
    FIVE_PERCENT,
    INVOICE,
    NEXT_WEEK,
    PAYMENT,
    POWER_BI_PRO,
    POWER_BI_PRO_PRODUCT,
    RENEWED_WITH_ONE,
    SUBSCRIPTION,
    THE_NEXT_CYCLE,
    THE_SAME_DAY,
    TODAY,
    TOMORROW,
    a_line,
    adding_a_card,
    an_id,
    closed,
    holding,
    issuing,
    requesting,
    resized_to,
)
from tests.tidy.topics import named_aggregates

Deed = Callable[[Any], object]

# Histories that leave every part of the state with something in it.
HISTORIES: list[tuple[Callable[[], Aggregate], list[Deed]]] = [
    (A_POOL_OF_THREE, [holding(CHRIS, BEN), resized_to(5, THE_SAME_DAY), lambda pool: pool.unassign([CHRIS])]),
    (A_POOL_OF_THREE, [holding(CHRIS, BEN), RENEWED_WITH_ONE, closed]),
    (A_SUBSCRIPTION, [lambda subscription: subscription.schedule_licenses(2)]),
    (
        A_SUBSCRIPTION,
        [
            lambda subscription: subscription.cancel_at_term_end(
                reason="other", feedback=FEEDBACK.ref, licenses=3, at=THE_SAME_DAY
            )
        ],
    ),
    (
        CONTOSO,
        [
            lambda contoso: contoso.grant(BEN, "auditor"),
            lambda contoso: contoso.grant(BEN, "admin"),
            lambda contoso: contoso.revoke(CHRIS, "admin"),
            lambda contoso: contoso.set_policy(POWER_BI_PRO_PRODUCT, "Disabled"),
        ],
    ),
    (
        A_SIMULATION,
        [
            lambda contoso: contoso.give_full_credit("CFQ", subscription_id=SUBSCRIPTION, at=THE_SAME_DAY),
            lambda contoso: contoso.advance(THE_SAME_DAY),
        ],
    ),
    (A_MEMBER, [lambda member: member.deactivate()]),
    (A_GUEST, [lambda member: member.remove()]),
    (A_PRODUCT, []),
    (
        AN_OFFER,
        [
            lambda offer: offer.schedule_price(1500, effective_on=TOMORROW, today=TODAY),
            lambda offer: offer.withdraw(withdrawn_on=NEXT_WEEK, today=TODAY),
        ],
    ),
    (
        A_POOL_OF_THREE,
        [
            holding(CHRIS, BEN),
            lambda pool: pool.renew(
                1, POWER_BI_PRO, invoice_id=INVOICE, line=2, cycle=THE_NEXT_CYCLE, term=THE_NEXT_CYCLE, at=A_WEEK_LATER
            ),
            lambda pool: pool.charge(invoice_id=ANOTHER_INVOICE, line=1, cycle=THE_NEXT_CYCLE),
        ],
    ),
    (
        A_SUBSCRIPTION,
        [
            lambda subscription: subscription.fall_past_due(INVOICE),
            lambda subscription: subscription.disable("grace_ended", on=NEXT_WEEK),
            lambda subscription: subscription.reactivate_as(an_id(7)),
        ],
    ),
    (
        A_PAYMENT_METHOD,
        [
            lambda method: method.edit(
                expiry=Expiry(month=1, year=2034), holder=None, address=None, security_code=True
            ),
            lambda method: method.attach(BILLING_PROFILE),
        ],
    ),
    (adding_a_card(holder=None, address=None), [lambda method: method.remove()]),
    (
        A_BILLING_PROFILE,
        [
            lambda profile: profile.grant(BEN, "contributor"),
            lambda profile: profile.change_bill_to(BillTo(country="CA", name=CARD_HOLDER.ref, tax_id=FEEDBACK.ref)),
            lambda profile: profile.set_po_number("PO 7"),
            lambda profile: profile.put_on(SUBSCRIPTION),
            lambda profile: profile.number_invoice(INVOICE, settled=()),
            lambda profile: profile.number_credit_note(A_CREDIT_NOTE, INVOICE),
            lambda profile: profile.increase_balance(500, invoice_id=INVOICE, reason="refund_failed"),
        ],
    ),
    (
        issuing(a_line(3), a_line(2, number=2, kind="increase"), tax_rate=FIVE_PERCENT),
        [
            lambda invoice: invoice.apply_balance(100),
            lambda invoice: invoice.start_collection(an_id(7), 7_000),
            lambda invoice: invoice.fail_collection(an_id(7), "declined", TODAY),
            lambda invoice: invoice.credit(
                [Removal(line=2, licenses=1, days=14)],
                credit_note_id=A_CREDIT_NOTE,
                number="C",
                reason="licenses_removed",
                issued_on=TODAY,
            ),
            lambda invoice: invoice.start_collection(PAYMENT, 7_000),
        ],
    ),
    (
        AN_INVOICE,
        [
            lambda invoice: invoice.receive(PAYMENT, 4_200),
            lambda invoice: invoice.count_refund(PAYMENT, A_REFUND, 100),
            lambda invoice: invoice.move_to_balance(50),
            lambda invoice: invoice.dispute(PAYMENT, "dp_1", 1_000),
            lambda invoice: invoice.dispute(PAYMENT, "dp_2", 2_000),
            lambda invoice: invoice.close_dispute("dp_1", "lost"),
        ],
    ),
    (
        A_PAYMENT,
        [
            lambda payment: payment.capture("pi_1"),
            lambda payment: payment.request_refund(A_REFUND, invoice_id=INVOICE, amount_minor=100),
            lambda payment: payment.request_refund(an_id(7), invoice_id=INVOICE, amount_minor=200),
            lambda payment: payment.fail_refund(an_id(7), "card_closed"),
            lambda payment: payment.dispute("dp_1", invoice_id=INVOICE, amount_minor=1_000),
            lambda payment: payment.close_dispute("dp_1", "won"),
        ],
    ),
    (
        lambda: AuditorAccess.open(id=an_id(8), auditor_id=BEN),
        [
            lambda access: access.grant(
                an_id(7), purpose="tax_audit", ends_at=A_WEEK_LATER, subject_id=CHRIS, at=THE_SAME_DAY
            ),
            lambda access: access.grant(
                an_id(9), purpose="legal_claim", ends_at=A_WEEK_LATER, subject_id=None, at=THE_SAME_DAY
            ),
            lambda access: access.revoke(an_id(9)),
        ],
    ),
    (requesting(intent=A_PURCHASE), [lambda payment: payment.decline("insufficient_funds")]),
    (requesting(intent=AN_INCREASE), [lambda payment: payment.authorize("pi_1")]),
]
NAMES = [f"{birth().__class__.__name__}-{number}" for number, (birth, _) in enumerate(HISTORIES)]


def lived(birth: Callable[[], Aggregate], deeds: list[Deed]) -> Aggregate:
    aggregate = birth()
    for deed in deeds:
        deed(aggregate)
    aggregate.collect_events()
    return aggregate


def attributes(aggregate: Aggregate) -> set[str]:
    """What the event bodies set; the library's own begin with an underscore."""
    return {name for name in vars(aggregate) if not name.startswith("_")}


def test_every_aggregate_is_tried() -> None:
    assert {type(birth()) for birth, _ in HISTORIES} == set(named_aggregates().values())


@pytest.mark.parametrize(("birth", "deeds"), HISTORIES, ids=NAMES)
def test_a_thawed_aggregate_is_the_frozen_one(birth: Callable[[], Aggregate], deeds: list[Deed]) -> None:
    live = lived(birth, deeds)
    thawed = type(live).thaw(live.freeze(), id=live.id, version=live.version)
    assert thawed == live
    assert thawed.freeze() == live.freeze()


@pytest.mark.parametrize(("birth", "deeds"), HISTORIES, ids=NAMES)
def test_the_state_is_all_that_event_bodies_set(birth: Callable[[], Aggregate], deeds: list[Deed]) -> None:
    """A part that a snapshot forgets would be missing in the next decision."""
    assert attributes(lived(birth, deeds)) == set(type(birth()).State.model_fields)


@pytest.mark.parametrize(("birth", "deeds"), HISTORIES, ids=NAMES)
def test_a_thawed_aggregate_goes_on_by_itself(birth: Callable[[], Aggregate], deeds: list[Deed]) -> None:
    """It shares nothing that changes with the one it was frozen from."""
    live = birth()
    live.collect_events()
    thawed = type(live).thaw(live.freeze(), id=live.id, version=live.version)
    frozen = live.freeze()
    for deed in deeds:
        deed(thawed)
    assert live.freeze() == frozen
    assert thawed.freeze() == lived(birth, deeds).freeze()


def test_no_two_aggregates_have_the_same_shape() -> None:
    kinds = named_aggregates().values()
    assert len({kind.shape() for kind in kinds}) == len(kinds)
    assert all(len(kind.shape()) == 8 for kind in kinds)


def test_the_shape_changes_with_the_state() -> None:
    class Now(Aggregate.State):
        total: int

    class Renamed(Aggregate.State):
        licenses: int

    class Retyped(Aggregate.State):
        total: str

    class Wider(Aggregate.State):
        total: int | None

    class Grown(Aggregate.State):
        total: int
        closed: bool

    shapes = {shape_of(state) for state in (Now, Renamed, Retyped, Wider, Grown)}
    assert len(shapes) == 5
    assert shape_of(Now) == shape_of(Now)


def shape_of(state: type[Aggregate.State]) -> bytes:
    state.__name__ = state.__qualname__ = "State"

    class Pool(Aggregate):
        State = state

    return Pool.shape()


@pytest.mark.parametrize("state", [b"", b"{}", b"not json", b'{"total": "many"}'])
@pytest.mark.parametrize(
    "kind", [LicensePool, Organization, Subscription, PaymentMethod, BillingProfile, Payment, Invoice]
)
def test_what_is_no_state_is_refused_as_such(kind: type[Aggregate], state: bytes) -> None:
    """The loader ignores it and reads history instead: it counts on one kind of error."""
    with pytest.raises(ValidationError):
        kind.thaw(state, id=UUID(int=1), version=1)
