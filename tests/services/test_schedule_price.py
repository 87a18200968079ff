from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.offer import Offer, PriceVersion
from domain.refusals import EffectiveDateTooEarly, NotFound, PriceVersionExists
from services.ledger import offer_id_of
from services.schedule_price import SchedulePrice
from tests.examples import TODAY, TOMORROW
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import (
    belongs_to_the_catalog,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_an_operator,
    tells,
    tells_nothing,
)


@pytest.fixture
def offer_id(catalog: Contoso) -> UUID:
    return offer_id_of(catalog.lists())


def a_price(catalog: Contoso, offer_id: UUID, price: int | None, on: date = TOMORROW) -> SchedulePrice:
    return catalog.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=on, unit_price_minor=price)


def test_a_price_from_tomorrow_on(catalog: Contoso, offer_id: UUID) -> None:
    version = PriceVersion(number=2, unit_price_minor=1_500, effective_on=TOMORROW)
    tells(
        catalog,
        a_price(catalog, offer_id, 1_500),
        event(Offer.PriceVersionScheduled, originator_id=offer_id, price=version),
    )
    tells_nothing(catalog, a_price(catalog, offer_id, 1_500))
    with catalog.refuses(PriceVersionExists, effective_on="2025-02-01"):
        catalog.run(a_price(catalog, offer_id, 1_600))
    tells(catalog, a_price(catalog, offer_id, None), event(Offer.PriceVersionWithdrawn, price=version))
    tells_nothing(catalog, a_price(catalog, offer_id, None))


def test_today_is_too_late(catalog: Contoso, offer_id: UUID, clock: Clock) -> None:
    with catalog.refuses(EffectiveDateTooEarly, effective_on="2025-01-31", today="2025-01-31"):
        catalog.run(a_price(catalog, offer_id, 1_500, on=TODAY))
    catalog.run(a_price(catalog, offer_id, 1_500))
    clock.now += timedelta(days=1)
    with catalog.refuses(EffectiveDateTooEarly):
        catalog.run(a_price(catalog, offer_id, None))


def test_a_repeat_is_answered_and_not_done_again(catalog: Contoso, offer_id: UUID) -> None:
    is_done_once(catalog, a_price(catalog, offer_id, 1_500), unit_price_minor=1_600)
    is_done_once(catalog, a_price(catalog, offer_id, 1_500), effective_on=TODAY)  # would be refused anyway


def test_a_repeat_does_not_bring_back_what_was_withdrawn(catalog: Contoso, offer_id: UUID, clock: Clock) -> None:
    stays_done(catalog, a_price(catalog, offer_id, 1_500), lambda: catalog.run(a_price(catalog, offer_id, None)))
    assert len(catalog.ledger.offer(offer_id).prices) == 1

    def days_pass() -> None:
        clock.now += timedelta(days=3)

    stays_done(catalog, a_price(catalog, offer_id, 1_500), days_pass)


def test_sixteen_at_once_schedule_once(catalog: Contoso, offer_id: UUID) -> None:
    has_one_effect(catalog, a_price(catalog, offer_id, 1_500), events=1)
    has_one_effect(catalog, a_price(catalog, offer_id, 1_500), events=0)


def test_another_price_meanwhile_for_the_same_day(catalog: Contoso, offer_id: UUID) -> None:
    scheduling = a_price(catalog, offer_id, 1_500)
    with refused_at_second_sight(catalog, partial(catalog.run, a_price(catalog, offer_id, 1_600)), PriceVersionExists):
        catalog.run(scheduling)
    catalog.run(a_price(catalog, offer_id, None))
    assert catalog.run(scheduling).events == 1  # the refusal is not remembered


def test_midnight_meanwhile(catalog: Contoso, offer_id: UUID, clock: Clock) -> None:
    """The second decision is made at its own time."""

    def a_day_passes() -> None:
        catalog.run(a_price(catalog, offer_id, 1_600, on=date(2025, 3, 1)))
        clock.now += timedelta(days=1)

    with refused_at_second_sight(catalog, a_day_passes, EffectiveDateTooEarly):
        catalog.run(a_price(catalog, offer_id, 1_500))


def test_only_an_operator(catalog: Contoso, offer_id: UUID) -> None:
    takes_an_operator(
        catalog,
        lambda actor: catalog.in_catalog(
            SchedulePrice, actor, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500
        ),
    )


def test_an_unknown_offer_or_price(catalog: Contoso) -> None:
    with catalog.refuses(NotFound, what="offer"):
        catalog.run(a_price(catalog, uuid4(), 1_500))
    with pytest.raises(ValidationError, match="unit_price_minor"):
        a_price(catalog, uuid4(), -1)
    belongs_to_the_catalog(a_price(catalog, uuid4(), 1))
