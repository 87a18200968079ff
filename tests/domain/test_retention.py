"""How long the names on documents stay: `domain.retention`."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing_profile import BillingProfile, BillTo
from domain.personal import FactRef
from domain.retention import Standing, kept_until, standing_facts
from tests.examples import BILLING_PROFILE, CHRIS, PAYMENT_METHOD, TODAY, an_id


def billed_to(number: int) -> BillTo:
    """A bill-to with a name and a tax id of this number."""
    name, tax_id = (FactRef(fact_id=an_id(2 * number + part), commitment="5a" * 32) for part in (0, 1))
    return BillTo(country="US", name=name, tax_id=tax_id)


def ids_of(bill_to: BillTo) -> set[UUID]:
    return {ref.fact_id for ref in (bill_to.name, bill_to.tax_id) if ref}


def a_profile() -> BillingProfile:
    return BillingProfile.open(
        id=BILLING_PROFILE,
        owner_id=CHRIS,
        currency="USD",
        currency_exponent=2,
        payment_method_id=PAYMENT_METHOD,
        bill_to=billed_to(1),
    )


@pytest.mark.parametrize(
    ("issued_on", "years", "until"),
    [
        (date(2025, 1, 1), 10, date(2035, 12, 31)),
        (date(2025, 12, 31), 10, date(2035, 12, 31)),
        (date(2024, 2, 29), 8, date(2032, 12, 31)),
        (date(2025, 6, 1), 0, date(2025, 12, 31)),
    ],
)
def test_years_are_counted_from_the_end_of_the_year_of_issue(issued_on: date, years: int, until: date) -> None:
    assert kept_until(issued_on, years) == until


def test_what_no_document_was_made_out_to_stands_nowhere() -> None:
    profile = a_profile()
    profile.change_bill_to(billed_to(2))
    assert standing_facts((one, TODAY) for one in profile.pending_events) == {}


@given(st.lists(st.tuples(st.sampled_from(["invoice", "credit", "change"]), st.integers(0, 400)), max_size=25))
def test_a_fact_stands_on_the_youngest_document_of_an_invoice_that_was_made_out_to_it(
    acts: list[tuple[str, int]],
) -> None:
    """Whatever comes after what: compared with the bill-to that each invoice had when it was numbered."""
    profile, day = a_profile(), TODAY
    made_out_to: dict[UUID, BillTo] = {}
    expected: dict[UUID, Standing] = {}
    told: list[tuple[object, date]] = [(profile.pending_events[0], day)]
    for number, (act, days) in enumerate(acts, start=100):
        day += timedelta(days=days)
        if act == "change":
            profile.change_bill_to(billed_to(number))
        elif act == "invoice":
            made_out_to[an_id(number)] = profile.bill_to
            document = profile.number_invoice(an_id(number), settled=())
            expected |= dict.fromkeys(ids_of(profile.bill_to), Standing(day, document))
        elif made_out_to:
            invoice_id = list(made_out_to)[days % len(made_out_to)]
            document = profile.number_credit_note(an_id(number), invoice_id)
            expected |= dict.fromkeys(ids_of(made_out_to[invoice_id]), Standing(day, document))
        told += [(event, day) for event in profile.pending_events[len(told) :]]
    assert standing_facts(told) == expected
