"""Complete due work: what a crash left open is done now; the aggregates decide whether there is anything to do."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid5

from domain.kernel import Value
from domain.refusals import MemberStillActive
from services.command import Actor
from services.ledger import Ledger
from services.may import may
from services.ports import Holdings
from services.ports_reads import DueItem, DueWork
from services.release_licenses import ReleaseLicenses, release_licenses


class CompleteDueWork(Value):
    """Everything that is due on or before a day, as it is known at this position."""

    actor: Actor
    until: date
    at_least: int
    organization_id: UUID | None = None  # of this one only


def due_items(due_work: DueWork, query: CompleteDueWork) -> Iterator[DueItem]:
    """All of it, earliest first, a page at a time."""
    may(query.actor, "run the life cycle")
    last: DueItem | None = None
    while page := due_work.due(query.until, after=last, at_least=query.at_least):
        yield from (item for item in page if query.organization_id in {None, item.organization_id})
        last = page[-1]


def complete_due_work(ledger: Ledger, due_work: DueWork, holdings: Holdings, query: CompleteDueWork) -> list[DueItem]:
    """Releases the licenses of removed members and answers which; what another has done meanwhile is left alone."""
    done = []
    for item in list(due_items(due_work, query)):
        if item.kind != "release_licenses":
            continue
        try:
            release_licenses(ledger, release_of(item, query), holdings)
        except MemberStillActive:
            continue  # the member is back: nothing is due any more
        done.append(item)
    return done


def release_of(item: DueItem, query: CompleteDueWork) -> ReleaseLicenses:
    """Its id comes from where history stood: a member can be removed again, and that is another release."""
    command_id: UUID = uuid5(item.subject_id, f"release_licenses:{query.at_least}")
    return ReleaseLicenses(
        organization_id=item.organization_id,
        command_id=command_id,
        actor=query.actor,
        member_id=item.subject_id,
        after_position=query.at_least,
    )
