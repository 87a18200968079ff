"""Reconcile: what the provider settles against what is recorded here, movement by movement; differences are named."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import model_validator

from domain.kernel import Value
from services.command import Actor
from services.may import may
from services.ports_payments import PaymentGateway, SettlementRow
from services.ports_settlement import MovementKind, MovementViews, RecordedMovement


class ReconcileSettlement(Value):
    """The days, both included; of one organization or, without one, of everything that the provider settles."""

    actor: Actor
    since: date
    until: date
    organization_id: UUID | None = None
    at_least: int = 0

    @model_validator(mode="after")
    def _in_order(self) -> "ReconcileSettlement":
        if self.since > self.until:
            raise ValueError("the first day is after the last")
        return self


class SettlementDifference(Value):
    """A movement that only one side has, or has otherwise. `there` is the provider's amount, `here` ours."""

    what: Literal["missing_here", "missing_there", "other_amount"]
    kind: MovementKind
    on: date
    payment_id: UUID
    organization_id: UUID | None  # none: no organization has such a payment
    refund_id: UUID | None
    reference: str | None  # the provider's
    there_minor: int | None
    here_minor: int | None
    currency: str


class Reconciled(Value):
    """How many movements were compared, and what differs; both sides' own view of the same days."""

    settled: int
    recorded: int
    differences: tuple[SettlementDifference, ...]

    @property
    def payment_ids(self) -> tuple[UUID, ...]:
        """The payments that the provider knows more of: looking at them takes over what is missing here."""
        return tuple(dict.fromkeys(one.payment_id for one in self.differences if one.what != "missing_there"))


class Which(NamedTuple):
    """What makes two movements the same. A bank's dispute has no id of ours: it is known by its amount."""

    payment_id: UUID
    kind: MovementKind
    one: UUID | int | None  # a refund, an attempt, or an amount


def reconcile_settlement(gateway: PaymentGateway, views: MovementViews, query: ReconcileSettlement) -> Reconciled:
    """The provider moves first, and it is recorded here perhaps days later: neither side need have it on one day."""
    may(query.actor, "run the life cycle")
    settled = list(gateway.settlement(query.since, query.until))
    owners = views.organizations_of(ids_of(settled), at_least=query.at_least)
    if query.organization_id is not None:
        settled = [row for row in settled if owners.get(row.payment_id) == query.organization_id]
    recorded = views.movements(query.since, query.until, organization_id=query.organization_id, at_least=query.at_least)
    known = views.of_payments(ids_of(settled), at_least=query.at_least)
    earliest = views.earliest_request(ids_of(recorded), at_least=query.at_least)
    before = gateway.settlement(min(earliest or query.since, query.since), query.until) if recorded else []
    return Reconciled(
        settled=len(settled),
        recorded=len(recorded),
        differences=(*not_here(settled, known, owners), *not_there(recorded, before)),
    )


def ids_of(movements: Iterable[SettlementRow] | Iterable[RecordedMovement]) -> list[UUID]:
    return list(dict.fromkeys(one.payment_id for one in movements))


def which(one: SettlementRow | RecordedMovement) -> Which:
    name: UUID | int | None = one.refund_id or one.attempt
    return Which(one.payment_id, one.kind, one.amount_minor if one.kind.startswith("dispute") else name)


def not_here(
    settled: Sequence[SettlementRow], known: Sequence[RecordedMovement], owners: Mapping[UUID, UUID]
) -> Iterator[SettlementDifference]:
    """What the provider has settled, and is not recorded here or with another amount."""
    amounts: defaultdict[Which, list[int]] = defaultdict(list)
    for movement in known:
        amounts[which(movement)].append(movement.amount_minor)
    for row in settled:
        here = amounts[which(row)].pop(0) if amounts[which(row)] else None
        if here != row.amount_minor:
            yield SettlementDifference(
                what="missing_here" if here is None else "other_amount",
                kind=row.kind,
                on=row.settled_on,
                payment_id=row.payment_id,
                organization_id=owners.get(row.payment_id),
                refund_id=row.refund_id,
                reference=row.reference,
                there_minor=row.amount_minor,
                here_minor=here,
                currency=row.currency,
            )


def not_there(recorded: Sequence[RecordedMovement], settled: Iterable[SettlementRow]) -> Iterator[SettlementDifference]:
    """What is recorded here, and the provider has never settled."""
    there = Counter(which(row) for row in settled)
    for movement in recorded:
        if there[which(movement)]:
            there[which(movement)] -= 1
            continue
        yield SettlementDifference(
            what="missing_there",
            kind=movement.kind,
            on=movement.recorded_on,
            payment_id=movement.payment_id,
            organization_id=movement.organization_id,
            refund_id=movement.refund_id,
            reference=None,
            there_minor=None,
            here_minor=movement.amount_minor,
            currency=movement.currency,
        )
