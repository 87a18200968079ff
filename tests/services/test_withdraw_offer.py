from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.offer import Offer
from domain.refusals import EffectiveDateTooEarly, NotFound
from services.ledger import offer_id_of
from services.withdraw_offer import WithdrawOffer
from tests.examples import NEXT_WEEK, TODAY, TOMORROW
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import (
    belongs_to_the_catalog,
    decided_twice,
    has_one_effect,
    is_done_once,
    stays_done,
    takes_an_operator,
    tells,
    tells_nothing,
)


@pytest.fixture
def offer_id(catalog: Contoso) -> UUID:
    return offer_id_of(catalog.lists())


def a_withdrawal(catalog: Contoso, offer_id: UUID, on: date | None = TOMORROW) -> WithdrawOffer:
    return catalog.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=on)


def test_from_a_day_after_today_on(catalog: Contoso, offer_id: UUID) -> None:
    tells(
        catalog,
        a_withdrawal(catalog, offer_id),
        event(Offer.OfferWithdrawn, originator_id=offer_id, withdrawn_on=TOMORROW),
    )
    tells_nothing(catalog, a_withdrawal(catalog, offer_id))
    tells(catalog, a_withdrawal(catalog, offer_id, NEXT_WEEK), event(Offer.OfferWithdrawn, withdrawn_on=NEXT_WEEK))


def test_taken_back_before_it_takes_effect(catalog: Contoso, offer_id: UUID, clock: Clock) -> None:
    tells_nothing(catalog, a_withdrawal(catalog, offer_id, None))
    catalog.run(a_withdrawal(catalog, offer_id))
    tells(
        catalog,
        a_withdrawal(catalog, offer_id, None),
        event(Offer.OfferWithdrawalRevoked, withdrawn_on=TOMORROW),
    )
    catalog.run(a_withdrawal(catalog, offer_id))
    clock.now += timedelta(days=1)
    with catalog.refuses(EffectiveDateTooEarly):
        catalog.run(a_withdrawal(catalog, offer_id, None))


def test_today_is_too_late(catalog: Contoso, offer_id: UUID) -> None:
    with catalog.refuses(EffectiveDateTooEarly, effective_on="2025-01-31"):
        catalog.run(a_withdrawal(catalog, offer_id, TODAY))


def test_a_repeat_is_answered_and_not_done_again(catalog: Contoso, offer_id: UUID) -> None:
    is_done_once(catalog, a_withdrawal(catalog, offer_id), withdrawn_on=NEXT_WEEK)
    is_done_once(catalog, a_withdrawal(catalog, offer_id), withdrawn_on=TODAY)  # would be refused anyway


def test_a_repeat_does_not_withdraw_again(catalog: Contoso, offer_id: UUID, clock: Clock) -> None:
    revokes = partial(catalog.run, a_withdrawal(catalog, offer_id, None))
    stays_done(catalog, a_withdrawal(catalog, offer_id), revokes)
    assert catalog.ledger.offer(offer_id).withdrawn_on is None

    def days_pass() -> None:
        clock.now += timedelta(days=3)

    stays_done(catalog, a_withdrawal(catalog, offer_id), days_pass)


def test_sixteen_at_once_withdraw_once(catalog: Contoso, offer_id: UUID) -> None:
    has_one_effect(catalog, a_withdrawal(catalog, offer_id), events=1)
    has_one_effect(catalog, a_withdrawal(catalog, offer_id), events=0)


def test_withdrawn_for_another_day_meanwhile(catalog: Contoso, offer_id: UUID) -> None:
    other = partial(catalog.run, a_withdrawal(catalog, offer_id, NEXT_WEEK))
    with decided_twice(catalog, other):
        catalog.run(a_withdrawal(catalog, offer_id))
    assert catalog.ledger.offer(offer_id).withdrawn_on == TOMORROW


def test_only_an_operator(catalog: Contoso, offer_id: UUID) -> None:
    takes_an_operator(
        catalog, lambda actor: catalog.in_catalog(WithdrawOffer, actor, offer_id=offer_id, withdrawn_on=TOMORROW)
    )
    belongs_to_the_catalog(a_withdrawal(catalog, offer_id))


def test_an_unknown_offer(catalog: Contoso) -> None:
    with catalog.refuses(NotFound, what="offer"):
        catalog.run(a_withdrawal(catalog, uuid4()))
