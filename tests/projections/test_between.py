"""A difference between two moments is all of it, and the events that made it are those that count at one alone."""

from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.member import Member
from projections.audit.between import HELD, between, flat
from projections.audit.replay import folded
from tests.examples import an_id
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER, History
from tests.projections.test_laws import told

LAWS = settings(max_examples=15, deadline=None)


def streams(events: list[RecordedEvent]) -> dict[UUID, list[RecordedEvent]]:
    in_order = sorted(events, key=attrgetter("originator_id", "originator_version"))
    return {one: list(stream) for one, stream in groupby(in_order, key=attrgetter("originator_id"))}


def leaves(stream: list[RecordedEvent], as_of: AsOf) -> dict[str, Any]:
    aggregate = None
    for event in stream:
        if as_of.counts(event):
            aggregate = folded(aggregate, event, MAPPER)
    return flat(aggregate)


@st.composite
def moments(draw: st.DrawFn, events: list[RecordedEvent]) -> AsOf:
    known, effective = draw(st.sampled_from(events)), draw(st.sampled_from(events))
    later = timedelta(hours=draw(st.integers(-30, 30)))
    return draw(
        st.sampled_from(
            [
                AsOf(known=known.position),
                AsOf(known=known.recorded_time),
                AsOf(effective_at=effective.effective_at + later),
                AsOf(known=known.position, effective_at=effective.effective_at + later),
                AsOf(),
            ]
        )
    )


@LAWS
@given(STEPS, st.data())
def test_the_state_before_with_the_changes_is_the_state_after(steps: list[Step], data: st.DataObject) -> None:
    events = told(steps).history
    before, after = data.draw(moments(events)), data.draw(moments(events))
    for one, stream in streams(events).items():
        first, second = leaves(stream, before), leaves(stream, after)
        found = between(stream, MAPPER, before, after)
        if found is None:
            assert first == second
            continue
        assert found.aggregate_id == one
        makers = {maker.position for maker in found.events}
        assert makers == {event.position for event in stream if before.counts(event) != after.counts(event)}
        changed = {
            **{path: value for path, value in first.items() if value is not None},
            **{field.field: field.after for field in found.fields},
        }
        assert {path: value for path, value in changed.items() if value is not None} == {
            path: value for path, value in second.items() if value is not None
        }
        for field in found.fields:
            assert (field.before, field.after) == (first.get(field.field), second.get(field.field))
            assert field.made_by, f"nothing made {field.field} what it is"
            assert set(field.made_by) <= makers
        back = between(stream, MAPPER, after, before)
        assert back
        assert {(field.field, field.after, field.before) for field in back.fields} == {
            (field.field, field.before, field.after) for field in found.fields
        }


def test_each_holder_is_a_field_with_the_event_that_names_them() -> None:
    story = BilledStory()
    contoso = story.contoso
    subscription = contoso.subscription(contoso.buys())
    contoso.assigns(subscription.id, contoso.ben)
    before = AsOf(known=story.history[-1].position)
    contoso.assigns(subscription.id, contoso.david)
    stream = streams(story.history)[subscription.pool_id]
    found = between(stream, MAPPER, before, AsOf())
    assert found
    [event] = found.events
    assert [(one.field, one.before, one.after, one.made_by) for one in found.fields] == [
        (f"holders.{contoso.david}", None, HELD, (event.position,))
    ]
    assert (event.event, event.actor_id, event.actor_role, event.command) == (
        "LicensePool.LicenseAssigned",
        subscription.purchaser_id,
        "purchaser",
        "assign_licenses",
    )
    assert (found.version_before, found.version_after) == (2, 3)
    assert between(stream, MAPPER, AsOf(), AsOf()) is None


def test_before_its_birth_nothing_of_it_is_there() -> None:
    history, member = History(), Member.add(id=an_id(7), kind="guest", details={})
    history.tell(member)
    found = between(history.events, MAPPER, AsOf(known=0), AsOf())
    assert found
    assert (found.version_before, found.version_after) == (None, 1)
    assert ("kind", None, "guest") in [(one.field, one.before, one.after) for one in found.fields]
    assert {one.made_by for one in found.fields} == {(10,)}
