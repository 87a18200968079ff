from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from adapters.payments.sandbox_faults import Faults
from domain.payment_method import Expiry, PaymentMethod
from domain.refusals import CardDataNotAccepted, CardNotAccepted, NotFound, PaymentProviderUnavailable
from services.command import Actor
from services.edit_payment_method import EditPaymentMethod
from services.grant_profile_role import GrantProfileRole
from services.grant_role import GrantRole
from services.remove_payment_method import RemovePaymentMethod
from tests.scenario import event
from tests.services.contoso import OPERATOR, Clock, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    saves_of,
    stays_done,
    takes_an_active_member,
    tells,
    tells_nothing,
)

NEXT = Expiry(month=6, year=2031)


@pytest.fixture
def card(contoso: Contoso) -> UUID:
    return contoso.adds_card(contoso.melissa)


def an_edit(contoso: Contoso, card: UUID, by: Actor | None = None, **content: Any) -> EditPaymentMethod:
    content = content or {"expiry": NEXT}
    return contoso.command(EditPaymentMethod, by or contoso.buyer, payment_method_id=card, **content)


def test_the_names_of_what_changed_are_told(contoso: Contoso, card: UUID) -> None:
    edited = PaymentMethod.PaymentMethodEdited
    before = Expiry(month=12, year=2029)
    told = event(edited, owner_id=contoso.melissa, changed=("expiry",), expiry=NEXT, expiry_before=before)
    tells(contoso, an_edit(contoso, card), told)
    tells_nothing(contoso, an_edit(contoso, card))
    both: dict[str, Any] = {"holder": "Generated Member", "security_code_token": "cvctok_ok:1"}
    tells(contoso, an_edit(contoso, card, **both), event(edited, changed=("holder", "security_code"), expiry=NEXT))


def test_the_number_never_changes(contoso: Contoso, card: UUID) -> None:
    before = contoso.ledger.payment_method(contoso.organization_id, card).card
    contoso.run(an_edit(contoso, card))
    after = contoso.ledger.payment_method(contoso.organization_id, card).card
    assert after == before.model_copy(update={"expiry": NEXT})
    with pytest.raises(ValidationError, match="number"):
        an_edit(contoso, card, number="x")


def test_the_security_code_is_checked_by_the_provider_and_kept_nowhere(contoso: Contoso, card: UUID) -> None:
    with contoso.refuses(CardNotAccepted, why="incorrect_security_code"):
        contoso.run(an_edit(contoso, card, security_code_token="cvctok_wrong"))
    editing = an_edit(contoso, card, security_code_token="cvctok_ok:7")
    receipt = contoso.run(editing)
    assert "cvctok" not in repr(editing)
    assert all(b"cvctok" not in recorded.state + recorded.metadata for recorded in contoso.recorded(receipt))


def test_the_code_itself_is_not_taken_in_the_place_of_its_token(contoso: Contoso, card: UUID) -> None:
    with pytest.raises(CardDataNotAccepted) as refusal:
        an_edit(contoso, card, security_code_token="737")
    assert refusal.value.facts == {"field": "/security_code_token"}
    assert "737" not in str(refusal.value)


def test_an_expiry_that_is_over_is_not_taken(contoso: Contoso, card: UUID) -> None:
    with contoso.refuses(CardNotAccepted, why="expired_card"):
        contoso.run(an_edit(contoso, card, expiry=Expiry(month=12, year=2024)))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, card: UUID) -> None:
    is_done_once(contoso, an_edit(contoso, card, security_code_token="cvctok_ok:1"), holder="Generated Member")
    has_one_effect(contoso, an_edit(contoso, card), events=1)
    later = an_edit(contoso, card, expiry=Expiry(month=7, year=2032))
    stays_done(contoso, an_edit(contoso, card, expiry=NEXT), lambda: contoso.run(later))
    assert contoso.ledger.payment_method(contoso.organization_id, card).card.expiry == later.expiry
    removal = contoso.running(RemovePaymentMethod, contoso.buyer, payment_method_id=card)
    stays_done(contoso, an_edit(contoso, card), removal)


def test_an_answer_of_the_provider_that_got_lost(contoso: Contoso, card: UUID) -> None:
    """Whether it took the change over is not known; the same command again finds out, with the same one-time token."""
    editing = an_edit(contoso, card, security_code_token="cvctok_ok:1")
    contoso.sandbox.script(Faults().lost_answer("edit"))
    with contoso.refuses(PaymentProviderUnavailable, asked_to="edit"):
        contoso.run(editing)
    tells(contoso, editing, event(PaymentMethod.PaymentMethodEdited, changed=("security_code",)))


def test_another_decision_of_the_organization_meanwhile(contoso: Contoso, card: UUID) -> None:
    granting = contoso.running(GrantRole, OPERATOR, member_id=contoso.ben, role="auditor")
    with decided_twice(contoso, granting):
        contoso.run(an_edit(contoso, card, security_code_token="cvctok_ok:1"))


def test_its_owner_and_who_may_charge_where_it_is_charged(contoso: Contoso, another: Contoso) -> None:
    profile_id = contoso.can_pay(contoso.melissa)
    card, ben = contoso.profile().payment_method_id, contoso.purchaser(contoso.ben)
    elsewhere = another.adds_card(another.melissa)
    for of, actor in ((card, ben), (card, contoso.admin), (elsewhere, contoso.buyer), (uuid4(), contoso.buyer)):
        with contoso.refuses(NotFound, what="payment method", key=str(of)):
            contoso.run(an_edit(contoso, of, actor))
    for role in ("reader", "invoice_manager"):
        grant = {"billing_profile_id": profile_id, "member_id": contoso.ben, "role": role}
        contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **grant))
        with contoso.refuses(NotFound, what="payment method", key=str(card)):
            contoso.run(an_edit(contoso, card, ben))
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **grant | {"role": "contributor"}))
    contoso.run(an_edit(contoso, card, ben))
    takes_an_active_member(contoso, another, lambda actor: an_edit(contoso, card, actor), role="purchaser")


def test_what_a_contributor_says_of_a_card_is_its_owners(contoso: Contoso) -> None:
    """It is erased with the owner, and stays when the contributor goes."""
    profile_id = contoso.can_pay(contoso.melissa)
    card = contoso.profile().payment_method_id
    grant = {"billing_profile_id": profile_id, "member_id": contoso.ben, "role": "contributor"}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **grant))
    contoso.run(an_edit(contoso, card, contoso.purchaser(contoso.ben), holder="Generated Member"))
    holder = contoso.ledger.payment_method(contoso.organization_id, card).holder
    assert holder is not None
    fact = contoso.kept(holder.fact_id)
    assert fact is not None
    assert fact.subject_id == contoso.melissa


def test_a_removed_one_is_not_there(contoso: Contoso, card: UUID) -> None:
    contoso.run(contoso.command(RemovePaymentMethod, contoso.buyer, payment_method_id=card))
    with contoso.refuses(NotFound, what="payment method", key=str(card)):
        contoso.run(an_edit(contoso, card))


def test_what_is_past_due_is_tried_at_once(contoso: Contoso) -> None:
    """A card that has expired is edited: the renewal is paid, and the subscription is active again."""
    contoso.can_pay(contoso.melissa)
    bought = contoso.buys()
    card = contoso.changes_card("tok_declined_expired_card")
    contoso.advances(date(2025, 2, 28))
    assert contoso.subscription(bought).life == "in_grace"
    editing = an_edit(contoso, card)
    contoso.run(editing)
    assert contoso.subscription(bought).life == "active"
    assert contoso.invoices()[-1].status == "paid"
    first, *_ = saves_of(contoso, editing)
    assert "CollectionStarted" in first.told  # in the save of the change: a crash after it leaves nothing untried


def test_due_steps_are_taken_on_the_card_as_it_was(contoso: Contoso, clock: Clock) -> None:
    """Grace ended on day 30, though no run came by: an edit on day 31 is too late for the renewal."""
    bought = contoso.buys()
    card = contoso.changes_card("tok_declined_expired_card")
    contoso.advances(date(2025, 2, 28))
    clock.now += timedelta(days=31)
    contoso.run(an_edit(contoso, card))
    assert contoso.subscription(bought).life == "disabled"
    assert contoso.invoices()[-1].status == "uncollectible"


def test_a_number_is_refused_before_anything_is_made_of_it(contoso: Contoso) -> None:
    with contoso.refuses(CardDataNotAccepted):
        an_edit(contoso, uuid4(), holder="4242 4242 4242 4242")


def test_something_changes(contoso: Contoso) -> None:
    with pytest.raises(ValidationError, match="say what changes"):
        contoso.command(EditPaymentMethod, contoso.buyer, payment_method_id=uuid4())
