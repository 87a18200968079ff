from uuid import UUID

from domain.billing_profile import BillTo
from domain.personal import PersonalFact
from services.bill_to_shown import bill_to_shown
from services.open_billing_profile import OpenBillingProfile
from tests.examples import an_id
from tests.services.contoso import Contoso

WHO = {"bill_to": "Contoso Ltd", "address": "1 Contoso Way\n\n Redmond ", "tax_id": "US-1"}


def billed(contoso: Contoso) -> BillTo:
    content = {"payment_method_id": contoso.adds_card(contoso.melissa), **WHO}
    contoso.run(contoso.command(OpenBillingProfile, contoso.buyer, **content))
    return contoso.profile().bill_to


def test_name_and_address_are_a_line_each(contoso: Contoso) -> None:
    shown = bill_to_shown(contoso.directory, contoso.organization_id, billed(contoso), contoso.buyer)
    assert shown == (("Contoso Ltd", "1 Contoso Way", "Redmond"), "US-1")


def test_what_was_never_said_is_not_shown_and_what_was_erased_is_marked(contoso: Contoso) -> None:
    nobody = BillTo(country="US")
    assert bill_to_shown(contoso.directory, contoso.organization_id, nobody, contoso.buyer) == ((), None)
    gone = PersonalFact(fact_id=an_id(77), subject_id=UUID(int=1), purpose="tax_id", value="US-1", salt="5a" * 32)
    erased = BillTo(country="US", name=gone.ref, tax_id=gone.ref)
    shown = bill_to_shown(contoso.directory, contoso.organization_id, erased, contoso.buyer)
    assert shown == (("[erased]",), "[erased]")


def test_an_auditor_sees_no_personal_facts_and_another_organization_none_of_these(
    contoso: Contoso, another: Contoso
) -> None:
    bill_to = billed(contoso)
    withheld = bill_to_shown(contoso.directory, contoso.organization_id, bill_to, contoso.by("auditor"))
    assert withheld == (("[withheld]", "[withheld]"), "[withheld]")
    foreign = bill_to_shown(another.directory, another.organization_id, bill_to, another.admin)
    assert foreign == (("[erased]", "[erased]"), "[erased]")
