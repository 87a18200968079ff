from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile, BillTo
from services.change_bill_to import ChangeBillTo
from services.command import Actor
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.profile_questions import takes_a_profile_role
from tests.services.questions import decided_twice, has_one_effect, is_done_once, stays_done, tells, tells_nothing


def a_change(contoso: Contoso, by: Actor | None = None, profile_id: UUID | None = None, **content: Any) -> ChangeBillTo:
    profile_id = profile_id or contoso.can_pay(contoso.melissa)
    content = content or {"country": "DE"}
    return contoso.command(ChangeBillTo, by or contoso.buyer, billing_profile_id=profile_id, **content)


def test_the_country_is_told_with_the_one_before(contoso: Contoso) -> None:
    told = event(BillingProfile.BillToChanged, bill_to=BillTo(country="DE"), country_before="US")
    tells(contoso, a_change(contoso), told)
    tells_nothing(contoso, a_change(contoso))


def test_names_are_kept_beside_history(contoso: Contoso) -> None:
    receipt = contoso.run(a_change(contoso, bill_to="Contoso Ltd", address="1 Contoso Way", tax_id="DE123"))
    bill_to = contoso.profile().bill_to
    assert bill_to.country == "US"
    for ref, value in ((bill_to.name, "Contoso Ltd"), (bill_to.address, "1 Contoso Way"), (bill_to.tax_id, "DE123")):
        assert ref is not None
        fact = contoso.kept(ref.fact_id)
        assert fact is not None
        assert (fact.value, fact.subject_id) == (value, contoso.melissa)
        assert all(value.encode() not in recorded.state for recorded in contoso.recorded(receipt))
    contoso.run(a_change(contoso, country="DE"))
    assert contoso.profile().bill_to == bill_to.model_copy(update={"country": "DE"})  # what is not said stays


def test_invoices_to_come_are_taxed_there_and_issued_ones_stay(contoso: Contoso) -> None:
    contoso.buys()
    contoso.run(a_change(contoso))
    contoso.buys()
    before, after = contoso.invoices()
    assert (before.tax_minor, before.total_minor) == (0, 4_200)
    assert (after.tax_minor, after.total_minor) == (798, 4_998)


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_change(contoso), country="FR")
    has_one_effect(contoso, a_change(contoso, country="AT"), events=1)
    stays_done(contoso, a_change(contoso, country="FR"), lambda: contoso.run(a_change(contoso)))
    assert contoso.profile().bill_to.country == "DE"


def test_who_may_charge_the_profile_changes_it(contoso: Contoso, another: Contoso) -> None:
    takes_a_profile_role(
        contoso, another, "charge", lambda actor, of: a_change(contoso, actor, of, bill_to=f"Contoso {uuid4().hex[:4]}")
    )


def test_another_change_meanwhile_stays(contoso: Contoso) -> None:
    named, moved = a_change(contoso, bill_to="Contoso Ltd"), a_change(contoso)
    with decided_twice(contoso, lambda: contoso.run(named)):
        contoso.run(moved)
    bill_to = contoso.profile().bill_to
    assert bill_to.country == "DE"
    assert bill_to.name is not None


@pytest.mark.parametrize("content", [{"country": "de"}, {"bill_to": ""}, {"address": "x" * 1_001}, {"tax_id": "\0"}])
def test_what_is_refused_at_the_edge(contoso: Contoso, content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(content))):
        a_change(contoso, profile_id=uuid4(), **content)
