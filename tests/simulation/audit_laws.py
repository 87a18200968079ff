"""Laws of what auditors read: whatever happened, amounts follow, sums close, and every moment can be told."""

from itertools import groupby
from operator import attrgetter
from random import Random

from adapters.payments.limits import limits_of
from domain.as_of import AsOf
from domain.kernel import PydanticJSON, PydanticMapper
from projections.audit.derived import derived_history
from projections.audit.held_on import held_on
from projections.audit.replay import state_at
from projections.audit.rerate import rerate
from projections.audit.rerating_rules import rule_named
from projections.audit.totals import totals
from tests.simulation.world import World

MAPPER = PydanticMapper(PydanticJSON())


def what_auditors_read_agrees(world: World) -> None:
    """Amounts derived again are those recorded; the same rule charges the same; and every day's totals close."""
    events = world.recorder.organizations[world.organization_id]
    derived = derived_history(events, limits_of, MAPPER)
    assert derived.as_recorded, derived.others
    due = {one.invoice_id: one.recorded.due_minor for one in derived.invoices}
    assert due == {one: read.due for one, read in world.reading.invoices.items()}
    rerated = rerate(events, MAPPER, rule=rule_named("daily-half-up.v1"))
    assert all(one.charged == one.would_be for one in rerated.documents), "the same rule charges otherwise"
    closing = totals(events, MAPPER)
    assert not closing.contradictions, closing.contradictions
    last = {one.billing_profile_id: one.closing_minor for one in closing.days}
    assert sum(last.values()) == sum(due.values())


def every_moment_can_be_told(world: World, seed: int) -> None:
    """As it was, whatever late runs recorded: everything has a state, and who held what is known."""
    chance = Random(seed)  # noqa: S311 - not a secret
    events = world.recorder.organizations[world.organization_id]
    in_order = sorted(events, key=attrgetter("originator_id", "originator_version"))
    moment = chance.choice(events).effective_at
    for _, stream in groupby(in_order, key=attrgetter("originator_id")):
        state_at(list(stream), MAPPER, AsOf(effective_at=moment))
    for held in held_on(events, MAPPER, moment.date()):
        for invoice in held.invoices:
            read = world.reading.invoices[invoice.invoice_id]
            assert (invoice.paid_minor, invoice.due_minor) == (read.paid, read.due)
