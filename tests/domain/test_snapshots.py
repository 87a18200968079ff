"""A frozen aggregate thaws into the same one, for every aggregate there is."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.organization import Organization
from domain.subscription import Subscription
from tests.examples import (
    A_GUEST,
    A_MEMBER,
    A_POOL_OF_THREE,
    A_PRODUCT,
    A_SUBSCRIPTION,
    AN_OFFER,
    BEN,
    CHRIS,
    CONTOSO,
    FEEDBACK,
    NEXT_WEEK,
    POWER_BI_PRO_PRODUCT,
    RENEWED_WITH_ONE,
    THE_SAME_DAY,
    TODAY,
    TOMORROW,
    closed,
    holding,
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
@pytest.mark.parametrize("kind", [LicensePool, Organization, Subscription])
def test_what_is_no_state_is_refused_as_such(kind: type[Aggregate], state: bytes) -> None:
    """The loader ignores it and reads history instead: it counts on one kind of error."""
    with pytest.raises(ValidationError):
        kind.thaw(state, id=UUID(int=1), version=1)
