"""Queries of invoices, profiles, cards, movements and due profiles on real read tables."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from domain.subscription import Subscription
from projections.billing_profiles import Card, Profile
from projections.invoice_history import CreditNote, InvoiceStanding
from projections.payments import Movement
from services.ports_reads import (
    BillingProfileRow,
    CreditNoteRow,
    DueProfile,
    InvoiceCursor,
    InvoiceFilter,
    InvoiceRow,
    PaymentMethodRow,
)
from services.ports_settlement import RecordedMovement
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID, World, a_world
from tests.examples import A_MEMBER, BEN, CHRIS, DAVID, PURCHASED_AT, TODAY, requesting

ALL = InvoiceFilter()
TERM_END = date(2025, 2, 28)


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


def test_a_row_of_a_port_is_a_part_of_a_row_of_its_table() -> None:
    assert set(InvoiceRow.model_fields) == set(InvoiceStanding._fields) - {"organization_id"}
    assert set(CreditNoteRow.model_fields) == set(CreditNote._fields) - {"organization_id", "position"}
    assert set(BillingProfileRow.model_fields) == set(Profile._fields) - {"organization_id"} | {"roles"}
    assert set(PaymentMethodRow.model_fields) == set(Card._fields) - {"organization_id"}
    assert set(RecordedMovement._fields) == set(Movement._fields) - {"position", "dispute_id"}


# Invoices.


def test_each_filter_finds_its_invoices_newest_first_and_no_other_organizations(world: World) -> None:
    mine, theirs = world.open_profile(1), world.open_profile(2, owner_id=BEN)
    first, _ = world.invoice(mine, date(2025, 1, 31))
    second, _ = world.invoice(theirs, date(2025, 2, 1))
    third, _ = world.invoice(mine, date(2025, 2, 28))
    theirs.grant(CHRIS, "reader")
    third.start_collection(uuid5(CONTOSO_ID, "payment"), 4_200)
    third.receive(uuid5(CONTOSO_ID, "payment"), 4_200)
    world.tell(theirs, third)
    _, position = world.invoice(world.open_profile(1, of=FABRIKAM_ID), date(2025, 2, 1), of=FABRIKAM_ID)

    def found(**where: Any) -> list[UUID]:
        return [
            row.invoice_id for row in world.invoices.list(CONTOSO_ID, InvoiceFilter(**where), at_least=position).rows
        ]

    assert found() == [third.id, second.id, first.id]
    assert found(billing_profile_id=mine.id) == [third.id, first.id]
    assert found(state="open") == [second.id, first.id]
    assert found(seen_by=CHRIS) == [third.id, second.id, first.id]
    assert found(seen_by=BEN) == [second.id]
    assert found(seen_by=BEN, billing_profile_id=mine.id) == []
    assert found(seen_by=DAVID) == []


def test_both_days_of_a_filter_are_included(world: World) -> None:
    profile = world.open_profile(1)
    days = [date(2025, 1, 30), date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 2)]
    for day in days:
        _, position = world.invoice(profile, day)

    def found(since: date | None, until: date | None) -> list[date]:
        where = InvoiceFilter(since=since, until=until)
        return [row.issued_on for row in world.invoices.list(CONTOSO_ID, where, at_least=position).rows]

    assert found(days[1], days[2]) == [days[2], days[1]]
    assert found(days[1], days[1]) == [days[1]]
    assert found(days[2], None) == [days[3], days[2]]
    assert found(None, days[0]) == [days[0]]


def test_pages_of_invoices_follow_each_other_without_gap_or_overlap(world: World) -> None:
    one, two = world.open_profile(1), world.open_profile(2)
    for day in range(3):
        for profile in (one, two, two):
            _, position = world.invoice(profile, TODAY + timedelta(days=day))
    everything = world.invoices.list(CONTOSO_ID, ALL, at_least=position).rows
    assert len(everything) == 9
    paged: list[InvoiceRow] = []
    after: InvoiceCursor | None = None
    while not paged or after:
        page = world.invoices.list(CONTOSO_ID, ALL, after=after, limit=2)
        paged += page.rows
        after = page.following
    assert paged == everything


def test_an_invoice_is_found_by_its_id_its_number_and_the_number_of_its_credit_note(world: World) -> None:
    position = world.bill(0)
    (row,) = world.invoices.list(CONTOSO_ID, ALL, at_least=position).rows
    (note,) = world.invoices.credit_notes(CONTOSO_ID, row.invoice_id)
    assert (note.number, note.total_minor) == ("note 0", 700)
    assert world.invoices.one(CONTOSO_ID, row.invoice_id) == row
    assert world.invoices.by_number(CONTOSO_ID, row.number) == row
    assert world.invoices.by_number(CONTOSO_ID, "note 0") == row
    assert (row.state, row.credited_minor, row.paid_minor, row.due_minor) == ("paid", 700, 3_500, 0)
    for unknown in ("", "\0", "note 1", row.number.lower()):
        assert world.invoices.by_number(CONTOSO_ID, unknown) is None
    assert world.invoices.by_number(FABRIKAM_ID, row.number) is None
    assert world.invoices.one(FABRIKAM_ID, row.invoice_id) is None


# Profiles and cards.


def test_profiles_are_listed_with_their_roles_for_those_who_have_one(world: World) -> None:
    mine, theirs = world.open_profile(1), world.open_profile(2, owner_id=BEN)
    theirs.grant(CHRIS, "contributor")
    position = world.tell(theirs)

    def seen(member_id: UUID | None) -> set[UUID]:
        rows = world.billing.profiles(CONTOSO_ID, seen_by=member_id, at_least=position)
        return {row.billing_profile_id for row in rows}

    assert seen(None) == seen(CHRIS) == {mine.id, theirs.id}
    assert seen(BEN) == {theirs.id}
    assert seen(DAVID) == set()
    row = world.billing.profile(CONTOSO_ID, theirs.id)
    assert row is not None
    assert (row.owner_id, row.roles, row.prefix) == (BEN, {CHRIS: "contributor"}, theirs.prefix)
    assert world.billing.profile(FABRIKAM_ID, theirs.id) is None
    first, second = world.billing.profiles(CONTOSO_ID)
    assert world.billing.profiles(CONTOSO_ID, limit=1) == [first]
    assert world.billing.profiles(CONTOSO_ID, after=first.billing_profile_id) == [second]


def test_a_member_sees_their_own_cards_and_no_removed_ones(world: World) -> None:
    mine = world.open_profile(1)
    world.open_profile(2, owner_id=BEN)
    world.open_profile(3)
    head = world.models.head()
    cards = world.billing.payment_methods(CONTOSO_ID, CHRIS, at_least=head)
    assert {card.payment_method_id for card in cards} == {mine.payment_method_id, uuid5(CONTOSO_ID, "card 3")}
    assert [(card.last4, card.charged_by, card.state) for card in cards] == [("4242", 1, "stored")] * 2
    assert world.billing.payment_methods(CONTOSO_ID, CHRIS, after=cards[0].payment_method_id) == [cards[1]]


# Movements.


def test_movements_are_found_by_day_and_by_payment(world: World) -> None:
    world.bill(0)
    world.bill(1)
    head = world.models.head()
    payment_ids = [uuid5(CONTOSO_ID, "payment 0"), uuid5(CONTOSO_ID, "payment 1")]
    found = world.movements.movements(TODAY, TODAY, at_least=head)
    assert sorted((row.kind, row.amount_minor) for row in found) == [("capture", 4_200)] * 2 + [("refund", 700)]
    assert world.movements.movements(TODAY, TODAY, organization_id=FABRIKAM_ID) == []
    assert world.movements.movements(TODAY - timedelta(days=9), TODAY - timedelta(days=1)) == []
    assert [row.kind for row in world.movements.of_payments(payment_ids[1:])] == ["capture", "refund"]
    unknown = uuid5(CONTOSO_ID, "payment 9")
    assert world.movements.organizations_of([*payment_ids, unknown]) == dict.fromkeys(payment_ids, CONTOSO_ID)
    assert world.movements.earliest_request(payment_ids) == PURCHASED_AT.date()
    assert world.movements.earliest_request([]) is None


# What is due on which profile.


def due(world: World, until: date, **where: Any) -> list[DueProfile]:
    return list(world.due_work.due_profiles(until, at_least=world.models.head(), **where))


def buy_on(world: World, number: int, profile_id: UUID, *, of: UUID = CONTOSO_ID, **more: Any) -> Subscription:
    subscription, _, _ = world.buy(number, of=of, billing_profile_id=profile_id, **more)
    return subscription


def test_a_profile_is_due_once_from_the_day_on_which_something_is_due(world: World) -> None:
    profile_id = uuid5(CONTOSO_ID, "profile")
    buy_on(world, 1, profile_id)
    buy_on(world, 2, profile_id)
    assert due(world, TERM_END - timedelta(days=1)) == []
    assert due(world, TERM_END) == [DueProfile(CONTOSO_ID, profile_id)]


def test_payments_that_wait_come_with_their_profile(world: World) -> None:
    profile_id = uuid5(CONTOSO_ID, "profile")
    waiting = [requesting(id=uuid5(CONTOSO_ID, f"p{n}"), billing_profile_id=profile_id)() for n in range(2)]
    done = requesting(id=uuid5(CONTOSO_ID, "p9"), billing_profile_id=profile_id)()
    done.capture("reference")
    world.tell(*waiting, done)
    (found,) = due(world, TODAY)
    assert set(found.payment_ids) == {payment.id for payment in waiting}


def test_due_profiles_come_by_organization_page_after_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.postgres.reads_due_work.PAGE", 2)
    for of in (CONTOSO_ID, FABRIKAM_ID):
        for number in range(5):
            buy_on(world, number, uuid5(of, f"profile {number}"), of=of)
    everything = due(world, TERM_END)
    assert everything == sorted(everything)
    assert len(set(everything)) == 10
    assert due(world, TERM_END, organization_id=FABRIKAM_ID) == [
        one for one in everything if one.organization_id == FABRIKAM_ID
    ]


def test_what_a_member_who_has_left_would_renew_is_due_at_once(world: World) -> None:
    ben = A_MEMBER.func(id=BEN, kind="member", details={})
    mine, theirs = uuid5(CONTOSO_ID, "mine"), uuid5(CONTOSO_ID, "theirs")
    buy_on(world, 1, mine)
    subscription = buy_on(world, 2, theirs, purchaser=ben)
    ben.remove()
    world.tell(ben)
    assert due(world, TODAY) == [DueProfile(CONTOSO_ID, theirs)]
    subscription.turn_recurring_billing_off("purchaser_left")
    world.tell(subscription)
    assert due(world, TODAY) == []


def test_what_is_settled_while_the_pages_are_read_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.postgres.reads_due_work.PAGE", 1)
    bought = [buy_on(world, number, uuid5(CONTOSO_ID, f"profile {number}")) for number in range(3)]
    bought.sort(key=lambda subscription: subscription.billing_profile_id)
    pages = world.due_work.due_profiles(TERM_END, at_least=world.models.head())
    assert next(pages).billing_profile_id == bought[0].billing_profile_id
    for subscription in bought[:2]:
        subscription.disable("grace_ended", on=TERM_END)
        world.tell(subscription)
    assert len(due(world, TERM_END)) == 1  # the read tables know
    assert [profile.billing_profile_id for profile in pages] == [bought[2].billing_profile_id]
