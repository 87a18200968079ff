"""A read model as of a moment is what the projector would have folded by then."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.as_of import AsOf
from projections.audit.read_model_at import read_model_at
from projections.purchases import PURCHASES, Purchases
from projections.read_models import READ_MODELS
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER, ReadModel
from tests.projections.test_between import moments
from tests.projections.test_laws import told

LAWS = settings(max_examples=12, deadline=None)


@LAWS
@given(STEPS, st.data())
def test_it_is_the_fold_of_what_counted(steps: list[Step], data: st.DataObject) -> None:
    events = told(steps).history
    as_of = data.draw(moments(events))
    for projection in READ_MODELS:
        folded = ReadModel(projection)
        for event in events:
            if as_of.counts(event):
                folded.fold([event])
        found = read_model_at(projection, iter(events), MAPPER, as_of)
        assert found == {
            table.name: sorted(folded[table], key=lambda row, table=table: table.key_of(row))  # type: ignore[misc]
            for table in projection.tables
        }


def test_nothing_is_read_behind_the_moment() -> None:
    events = BilledStory().history
    read = iter(events)
    at = events[len(events) // 2].position
    read_model_at(Purchases(), read, MAPPER, AsOf(known=at))
    assert next(read).position > at


def test_before_the_first_purchase_there_is_none() -> None:
    events = BilledStory().history
    [first, *_] = [event for event in events if event.topic.endswith("SubscriptionPurchased")]
    before, then = (
        read_model_at(Purchases(), events, MAPPER, AsOf(known=at))[PURCHASES.name]
        for at in (first.position - 1, first.position)
    )
    assert (len(before), len(then)) == (0, 1)
