from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile
from domain.refusals import PurchaseOrderNumberUnusable
from services.command import Actor
from services.set_po_number import SetPoNumber
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.profile_questions import takes_a_profile_role
from tests.services.questions import decided_twice, has_one_effect, is_done_once, stays_done, tells, tells_nothing


def a_po_number(
    contoso: Contoso, number: str | None = "PO-7", by: Actor | None = None, profile_id: UUID | None = None
) -> SetPoNumber:
    profile_id = profile_id or contoso.can_pay(contoso.melissa)
    return contoso.command(SetPoNumber, by or contoso.buyer, billing_profile_id=profile_id, po_number=number)


def test_it_is_told_with_the_one_before(contoso: Contoso) -> None:
    changed = event(BillingProfile.PurchaseOrderNumberSet, po_number="PO-7", po_number_before=None)
    tells(contoso, a_po_number(contoso), changed)
    tells_nothing(contoso, a_po_number(contoso))
    withdrawn = event(BillingProfile.PurchaseOrderNumberSet, po_number=None, po_number_before="PO-7")
    tells(contoso, a_po_number(contoso, None), withdrawn)


def test_invoices_to_come_carry_it_and_issued_ones_do_not(contoso: Contoso) -> None:
    contoso.buys()
    contoso.run(a_po_number(contoso))
    contoso.buys()
    issued = [told for told in contoso.told() if type(told).__name__ == "InvoiceIssued"]
    assert [told.po_number for told in issued] == [None, "PO-7"]


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    setting = a_po_number(contoso)
    is_done_once(contoso, setting, po_number="PO-8")
    has_one_effect(contoso, a_po_number(contoso, "PO-9"), events=1)


def test_a_retried_one_does_not_undo_a_later_one(contoso: Contoso) -> None:
    stays_done(contoso, a_po_number(contoso), lambda: contoso.run(a_po_number(contoso, "PO-8")))
    assert contoso.profile().po_number == "PO-8"


def test_who_may_charge_the_profile_sets_it(contoso: Contoso, another: Contoso) -> None:
    takes_a_profile_role(
        contoso, another, "charge", lambda actor, of: a_po_number(contoso, f"PO-{uuid4().hex[:8]}", actor, of)
    )


def test_another_one_meanwhile(contoso: Contoso) -> None:
    first, second = a_po_number(contoso, "PO-7"), a_po_number(contoso, "PO-8")
    with decided_twice(contoso, lambda: contoso.run(first)):
        contoso.run(second)
    assert contoso.profile().po_number == "PO-8"


@pytest.mark.parametrize("number", ["", "x" * 65, "PO\0"])
def test_texts_that_are_refused_at_the_edge(contoso: Contoso, number: str) -> None:
    with pytest.raises(ValidationError, match="po_number"):
        a_po_number(contoso, number, profile_id=uuid4())


def test_blanks_are_no_number(contoso: Contoso) -> None:
    setting = a_po_number(contoso, "   ")
    with contoso.refuses(PurchaseOrderNumberUnusable):
        contoso.run(setting)
