from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_invoices import InvoiceReads
from domain.refusals import MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.list_invoices import ListInvoices, list_invoices
from services.ports_reads import InvoicePage
from services.revoke_profile_role import RevokeProfileRole
from tests.examples import A_STRANGER
from tests.services.contoso import OPERATOR, Clock, Contoso

Listing = Callable[..., InvoicePage]


@pytest.fixture
def listing(contoso: Contoso, read_models: ReadModels) -> Listing:
    def listing(by: Actor, **asked: object) -> InvoicePage:
        query = {"organization_id": contoso.organization_id, "actor": by, "at_least": contoso.position, **asked}
        return list_invoices(contoso.ledger, InvoiceReads(read_models), ListInvoices.model_validate(query))

    return listing


def days(page: InvoicePage) -> list[date]:
    return [row.issued_on for row in page.rows]


def profiles(page: InvoicePage) -> set[UUID]:
    return {row.billing_profile_id for row in page.rows}


def buys_on(contoso: Contoso, clock: Clock, *bought: date) -> None:
    """A purchase on each of these days, which is for good at once: only its own invoice comes about."""
    for day in bought:
        clock.now = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        contoso.buys()


def test_the_past_three_months_are_listed_newest_first_unless_said_otherwise(
    contoso: Contoso, clock: Clock, listing: Listing
) -> None:
    buys_on(contoso, clock, date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 2))
    clock.now = datetime(2025, 4, 30, 23, 59, tzinfo=UTC)  # three months before is January 30
    assert days(listing(contoso.buyer)) == [date(2025, 2, 2), date(2025, 2, 1), date(2025, 1, 31)]
    clock.now = datetime(2025, 5, 1, 0, 0, tzinfo=UTC)  # and now February 1, which is included
    assert days(listing(contoso.buyer)) == [date(2025, 2, 2), date(2025, 2, 1)]
    clock.now = datetime(2025, 8, 2, 12, 0, tzinfo=UTC)  # six months before is February 2
    assert days(listing(contoso.buyer, past_months=6)) == [date(2025, 2, 2)]
    clock.now = datetime(2025, 8, 3, 12, 0, tzinfo=UTC)
    assert days(listing(contoso.buyer, past_months=6)) == []


def test_both_days_of_a_period_are_included(contoso: Contoso, clock: Clock, listing: Listing) -> None:
    bought = [date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 2), date(2025, 2, 3)]
    buys_on(contoso, clock, *bought)
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert days(listing(contoso.buyer, since=bought[1], until=bought[2])) == [bought[2], bought[1]]
    assert days(listing(contoso.buyer, since=bought[3])) == [bought[3]]
    assert days(listing(contoso.buyer, until=bought[0])) == [bought[0]]
    with pytest.raises(ValidationError, match="the first day is after the last"):
        listing(contoso.buyer, since=bought[1], until=bought[0])


def test_a_purchaser_sees_the_profiles_on_which_they_have_a_role_and_who_reads_bills_sees_all(
    contoso: Contoso, listing: Listing
) -> None:
    contoso.buys()
    of_melissa, of_ben = contoso.can_pay(contoso.melissa), contoso.can_pay(contoso.ben)
    contoso.buys_centrally(contoso.ben)
    assert profiles(listing(contoso.buyer)) == {of_melissa}
    assert profiles(listing(contoso.purchaser(contoso.ben))) == {of_ben}
    assert listing(contoso.buyer, billing_profile_id=of_ben).rows == []
    for everything in (contoso.admin, contoso.by("billing_reader"), contoso.by("auditor"), OPERATOR):
        assert profiles(listing(everything)) == {of_melissa, of_ben}
        assert profiles(listing(everything, billing_profile_id=of_ben)) == {of_ben}
    role = {"billing_profile_id": of_melissa, "member_id": contoso.ben}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **role, role="reader"))
    assert profiles(listing(contoso.purchaser(contoso.ben))) == {of_melissa, of_ben}
    contoso.run(contoso.command(RevokeProfileRole, contoso.buyer, **role))
    assert profiles(listing(contoso.purchaser(contoso.ben))) == {of_ben}


def test_page_by_page(contoso: Contoso, clock: Clock, listing: Listing) -> None:
    buys_on(contoso, clock, *(date(2025, 2, day) for day in (1, 2, 3)))
    first = listing(contoso.buyer, limit=2)
    second = listing(contoso.buyer, limit=2, after=first.following)
    assert days(first) + days(second) == [date(2025, 2, 3), date(2025, 2, 2), date(2025, 2, 1)]
    assert second.following is None


def test_a_filter_by_state_finds_what_is_paid(contoso: Contoso, listing: Listing) -> None:
    contoso.buys()
    assert [row.total_minor for row in listing(contoso.admin, state="paid").rows] == [4_200]
    assert listing(contoso.admin, state="past_due").rows == []


def test_who_may_not(contoso: Contoso, another: Contoso, clock: Clock, listing: Listing) -> None:
    another.buys()
    with pytest.raises(NotAllowed):
        listing(contoso.by("service"))
    with pytest.raises(NotAllowed, match="act as billing_reader"):
        listing(Actor(id=contoso.melissa, role="billing_reader"))
    for nobody in (A_STRANGER, another.melissa):
        with pytest.raises(NotFound):
            listing(contoso.purchaser(nobody))
    contoso.removes(contoso.ben)
    clock.now += timedelta(hours=1)
    with pytest.raises(MemberNotActive):
        listing(contoso.purchaser(contoso.ben))
    assert listing(contoso.admin).rows == []
