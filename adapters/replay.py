"""Replay: what the services read of history, folded by the readings that auditors ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper
from domain.refusals import NotFound
from projections.audit.between import Between, between
from projections.audit.replay import StateAt, state_at
from services.ledger import Ledger
from services.read_as_of import MILESTONE_EVERY, Past, ReadAsOf, leave_milestone, past_of, read_as_of

LONG = 2 * MILESTONE_EVERY  # events that nobody folds twice for a question


def state_as_of(ledger: Ledger, query: ReadAsOf, mapper: PydanticMapper) -> StateAt:
    """What an aggregate was at a moment; the first question about a long history leaves milestones for the others."""
    past = read_as_of(ledger, query)
    if query.as_of.effective_at is not None and len(past.events) > LONG:
        # What takes effect by then may stand anywhere behind it: milestones say where it does not.
        known = query.model_copy(update={"as_of": AsOf(known=query.as_of.known)})
        folded(ledger, known, past_of(ledger, known), mapper)
        past = past_of(ledger, query)
    found = folded(ledger, query, past, mapper)
    if found is None:
        raise NotFound(what="trace, as of then, of", key=query.aggregate_id)
    return found


def folded(ledger: Ledger, query: ReadAsOf, past: Past, mapper: PydanticMapper) -> StateAt | None:
    leave = partial(leave_milestone, ledger)
    return state_at(past.events, mapper, query.as_of, start=past.start, leave=leave)


def states(streams: Iterable[Sequence[RecordedEvent]], mapper: PydanticMapper, as_of: AsOf) -> Iterator[StateAt]:
    """What each aggregate was, by its whole history; those that were not born are left out."""
    for stream in streams:
        if (found := state_at(stream, mapper, as_of)) is not None:
            yield found


def differing(
    streams: Iterable[Sequence[RecordedEvent]], mapper: PydanticMapper, before: AsOf, after: AsOf
) -> Iterator[Between]:
    """How each aggregate differs that is not the same at both moments."""
    for stream in streams:
        if (found := between(stream, mapper, before, after)) is not None:
            yield found
