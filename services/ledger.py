"""The ledger: the one door to history. Loads know their organization, saves answer with a receipt."""

import functools
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.utils import Environment, EnvType

from domain.auditor_access import AuditorAccess, access_id_of
from domain.billing_profile import BillingProfile
from domain.envelope import Envelope, RecordedEvent
from domain.invoice import Invoice
from domain.kernel import Aggregate, replay
from domain.license_pool import LicensePool
from domain.member import Member
from domain.offer import Offer, OfferTerms
from domain.organization import CATALOG, Organization
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.personal import PersonalFact, Purpose
from domain.product import Product
from domain.refusals import Busy, ChangedMeanwhile, CommandIdReused, NotAllowed, NotFound, Refusal, SaveTooLarge
from domain.subscription import Subscription
from services.command import Command
from services.ports import AlreadyRecorded, Receipt, Recorder, Snapshot, VersionConflict
from services.price_list import PriceList

A = TypeVar("A", bound=Aggregate)
P = ParamSpec("P")
C = TypeVar("C", bound=Command)
R = TypeVar("R")

SNAPSHOT_EVERY = 250  # a load that replayed more events than this keeps a snapshot
EVENTS_PER_SAVE = 5_000
EVENT_BYTES = 256 * 1024
SEEN = 20_000  # aggregates that are kept for who looks at them again
ATTEMPTS = 100  # under the turn of the contested aggregate


class Ledger(Application[UUID]):
    """History as the services see it; `Application` of the library, with saves and loads of our own.

    `clock` answers the current time in UTC; `fingerprint_key` keys the fingerprints of commands.
    """

    name = "seatledger"

    def __init__(self, env: Mapping[str, str], *, clock: Callable[[], datetime], fingerprint_key: bytes) -> None:
        super().__init__(env)
        self.clock = clock
        self.fingerprint_key = fingerprint_key
        self.history = cast("Recorder", self.recorder)
        self.prices = PriceList(self.offer, self.now)
        self._seen: dict[tuple[UUID, UUID], Aggregate] = {}  # as they were when somebody looked; nobody changes these

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only what is passed: no variable of the process decides how history is written."""
        return Environment(name, dict(env or {}))

    # Loads.

    def find(self, kind: type[A], organization_id: UUID, id: UUID) -> A | None:  # noqa: A002
        """The aggregate, or None where the organization has no such one."""
        snapshot, events = self.history.load(organization_id, id)
        return self._loaded(kind, organization_id, id, snapshot, events)

    def find_all(self, organization_id: UUID, kinds: Mapping[UUID, type[Aggregate]]) -> dict[UUID, Aggregate]:
        """The aggregates of these ids, each of its kind, in one round trip; those that do not exist are left out."""
        found = {}
        for id, (snapshot, events) in self.history.load_several(organization_id, list(kinds)).items():  # noqa: A001
            if aggregate := self._loaded(kinds[id], organization_id, id, snapshot, events):
                found[id] = aggregate
        return found

    def look_at(self, organization_id: UUID, kinds: Mapping[UUID, type[Aggregate]]) -> dict[UUID, Aggregate]:
        """What `find_all` answers, for who changes nothing: what has not moved on since is not loaded again."""
        versions = self.history.versions(organization_id, list(kinds))
        known = {id: self._seen.get((organization_id, id)) for id in versions}  # noqa: A001
        found = {id: one for id, one in known.items() if one and one.version == versions[id]}  # noqa: A001
        if missing := {id: kinds[id] for id in versions if id not in found}:  # noqa: A001
            loaded = self.find_all(organization_id, missing)
            found |= loaded
            if len(self._seen) > SEEN:
                self._seen.clear()
            self._seen |= {(organization_id, id): one for id, one in loaded.items()}  # noqa: A001
        return {id: one for id, one in found.items() if isinstance(one, kinds[id])}  # noqa: A001

    def _loaded(
        self,
        kind: type[A],
        organization_id: UUID,
        id: UUID,  # noqa: A002
        snapshot: Snapshot | None,
        events: list[RecordedEvent],
    ) -> A | None:
        thawed = self.thawed(kind, id, snapshot)
        if snapshot and not thawed:
            events = self.history.load_events(organization_id, id)
        aggregate = self._replayed(events, thawed)
        if not isinstance(aggregate, kind):
            return None
        if len(events) > SNAPSHOT_EVERY:
            self.history.keep_snapshot(organization_id, id, snapshot_of(aggregate))
        return aggregate

    def get(self, kind: type[A], organization_id: UUID, id: UUID) -> A:  # noqa: A002
        """The aggregate; refuses where the organization has no such one."""
        if (aggregate := self.find(kind, organization_id, id)) is None:
            raise NotFound(what=words_of(kind.__name__), key=id)
        return aggregate

    def organization(self, organization_id: UUID) -> Organization:
        return self.get(Organization, organization_id, organization_id)

    def member(self, organization_id: UUID, member_id: UUID) -> Member:
        return self.get(Member, organization_id, member_id)

    def members(self, organization_id: UUID, member_ids: Sequence[UUID]) -> dict[UUID, Member | None]:
        """Each member by id; None where there is no such one. One round trip for all."""
        streams: dict[UUID, list[RecordedEvent]] = {member_id: [] for member_id in member_ids}
        for event in self.history.load_many(organization_id, list(streams)):
            streams[event.originator_id].append(event)
        found = {member_id: self._replayed(events) for member_id, events in streams.items()}
        return {member_id: member if isinstance(member, Member) else None for member_id, member in found.items()}

    def subscription(self, organization_id: UUID, subscription_id: UUID) -> Subscription:
        return self.get(Subscription, organization_id, subscription_id)

    def license_pool(self, organization_id: UUID, pool_id: UUID) -> LicensePool:
        return self.get(LicensePool, organization_id, pool_id)

    def payment_method(self, organization_id: UUID, payment_method_id: UUID) -> PaymentMethod:
        return self.get(PaymentMethod, organization_id, payment_method_id)

    def billing_profile(self, organization_id: UUID, billing_profile_id: UUID) -> BillingProfile:
        return self.get(BillingProfile, organization_id, billing_profile_id)

    def payment(self, organization_id: UUID, payment_id: UUID) -> Payment:
        return self.get(Payment, organization_id, payment_id)

    def invoice(self, organization_id: UUID, invoice_id: UUID) -> Invoice:
        return self.get(Invoice, organization_id, invoice_id)

    def find_access(self, organization_id: UUID, auditor_id: UUID) -> AuditorAccess | None:
        return self.find(AuditorAccess, organization_id, access_id_of(organization_id, auditor_id))

    def find_product(self, product_id: str) -> Product | None:
        return self.find(Product, CATALOG, product_aggregate_id(product_id))

    def product(self, product_id: str) -> Product:
        if (product := self.find_product(product_id)) is None:
            raise NotFound(what="product", key=product_id)
        return product

    def offer(self, offer_id: UUID) -> Offer:
        return self.get(Offer, CATALOG, offer_id)

    def told(self, organization_id: UUID, receipt: Receipt) -> list[Any]:
        """The events that a receipt answers for."""
        last = receipt.organization_seq
        stored = self.history.told(organization_id, after=last - receipt.events, until=last)
        return [self.mapper.to_domain_event(event) for event in stored]

    def now(self, *aggregates: Aggregate) -> datetime:
        """The decision time: by the clock, and never before what these aggregates told last."""
        return max(self.clock(), last_told_at(aggregates))

    def fact(self, command: Command, role: str, *, subject_id: UUID, purpose: Purpose, value: str) -> PersonalFact:
        """A personal fact with a fresh salt; its id is the same at every attempt of the command."""
        return PersonalFact(
            fact_id=command.new_id(f"fact:{role}"),
            subject_id=subject_id,
            purpose=purpose,
            value=value,
            salt=secrets.token_hex(32),
        )

    # Saves.

    def save(  # type: ignore[override]  # ours stamps who and why
        self,
        *aggregates: Aggregate,
        because: Command,
        at: datetime,
        seen: Iterable[Aggregate] = (),
        facts: Sequence[PersonalFact] = (),
        erasing: Sequence[UUID] = (),
        step: str = "",
        effective_at: datetime | None = None,
    ) -> Receipt:
        """Records what the aggregates have told, all of it or nothing, and that the command was carried out.

        `seen` are the aggregates that the decision rests on without changing them. Raises VersionConflict when one
        that was written or seen has moved on, and AlreadyRecorded when this step of the command is in history.
        What was told stays with the aggregates until it is recorded, so that a second save is not an empty one.
        `erasing` are the personal facts that are deleted in the same transaction.
        Refuses where one of them is at another version than the caller of the command has seen.
        """
        told = [event for aggregate in aggregates for event in aggregate.pending_events]
        stored = [self.mapper.to_stored_event(event) for event in told]
        refuse_large(len(stored), max((len(event.state) for event in stored), default=0))
        occurred_at = max(at, last_told_at(aggregates))
        # By id and version: of an aggregate that was loaded twice, both loads are looked at.
        decided_on = dict.fromkeys(recorded_version(aggregate) for aggregate in (*aggregates, *seen))
        refuse_changed(because, dict(decided_on.keys()))
        telling = [aggregate for aggregate in aggregates if aggregate.pending_events]
        for aggregate in telling:
            del decided_on[recorded_version(aggregate)]
        receipt = self.history.append(
            stored,
            organization_id=because.organization_id,
            command_id=because.command_id,
            step=step,
            fingerprint=because.fingerprint(self.fingerprint_key),
            metadata=envelopes(because, step, len(stored), occurred_at, effective_at or occurred_at),
            seen=list(decided_on),
            facts=facts,
            erasing=erasing,
        )
        for aggregate in telling:
            aggregate.pending_events.clear()
            aggregate.occurred_at = occurred_at
        return receipt

    # Commands.

    def carry_out(self, command: Command, attempt: Callable[[], Receipt], step: str = "") -> Receipt:
        """Answers a repeated command with its first receipt, and decides again after a conflict."""
        return self.until_saved(command.organization_id, lambda: self._once(command, attempt, step))

    def until_saved(self, organization_id: UUID, attempt: Callable[[], R]) -> R:
        """Decides again, from fresh loads, after a conflict.

        After the first conflict the attempts queue for the contested aggregate, so that nobody is refused for bad luck.
        """
        try:
            return attempt()
        except VersionConflict as conflict:
            contested = conflict.originator_id
        with self.history.turn(organization_id, contested):
            for _ in range(ATTEMPTS):
                try:
                    return attempt()
                except VersionConflict:
                    continue
        raise Busy(attempts=ATTEMPTS)

    def _once(self, command: Command, attempt: Callable[[], Receipt], step: str) -> Receipt:
        try:
            return attempt()
        except AlreadyRecorded as again:
            return self._answered(command, again.receipt)
        except Refusal as refusal:
            # What was carried out may be refused when it is repeated: its answer is still the first one.
            if receipt := self.answer_of(command, step):
                return receipt
            self.refuse_changed(command, refusal)
            raise

    def refuse_changed(self, command: Command, otherwise: Refusal) -> None:
        """Where the caller has seen another state, that comes before other reasons to refuse, for who may look."""
        if command.if_versions and not isinstance(otherwise, NotFound | NotAllowed):
            refuse_changed(command, self.history.versions(command.organization_id, list(command.if_versions)))

    def answer_of(self, command: Command, step: str = "") -> Receipt | None:
        """The receipt of a step that was carried out before; refuses where the id stood for other content."""
        receipt = self.history.recorded(command.organization_id, command.command_id, step)
        return self._answered(command, receipt) if receipt else None

    def _answered(self, command: Command, receipt: Receipt) -> Receipt:
        if receipt.fingerprint != command.fingerprint(self.fingerprint_key):
            raise CommandIdReused(command_id=command.command_id)
        return receipt.again()

    def thawed(self, kind: type[A], id: UUID, snapshot: Snapshot | None) -> A | None:  # noqa: A002
        """What a snapshot keeps; None where it is of another kind or shape, or cannot be read."""
        if snapshot is None or snapshot.topic != kind.TOPIC or snapshot.shape != kind.shape():
            return None
        try:
            aggregate = kind.thaw(snapshot.state, id=id, version=snapshot.version)
        except Exception:  # noqa: BLE001 - whatever is wrong with a copy: history is the truth, and the audit names it
            return None
        aggregate.occurred_at = snapshot.occurred_at
        return aggregate

    def _replayed(self, events: Sequence[RecordedEvent], start: Aggregate | None = None) -> Aggregate | None:
        aggregate = replay((cast("Any", self.mapper.to_domain_event(event)) for event in events), start)
        if aggregate and events:
            aggregate.occurred_at = events[-1].envelope.occurred_at
        return aggregate


def operation(
    service: Callable[Concatenate[Ledger, C, P], Receipt],
) -> Callable[Concatenate[Ledger, C, P], Receipt]:
    """Makes a service of one save answer repeats with the first receipt and decide again after a conflict."""

    @functools.wraps(service)
    def carried_out(ledger: Ledger, command: C, /, *args: P.args, **kwargs: P.kwargs) -> Receipt:
        return ledger.carry_out(command, lambda: service(ledger, command, *args, **kwargs))

    return carried_out


def words_of(name: str) -> str:
    """A class name as people read it: `license pool`."""
    return re.sub(r"(?<=[a-z])([A-Z])", r" \1", name).lower()


def envelopes(command: Command, step: str, count: int, occurred_at: datetime, effective_at: datetime) -> list[bytes]:
    """The envelope of each event of a save, which differ by their index alone."""
    first = Envelope(
        actor_id=command.actor.id,
        actor_role=command.actor.role,
        on_behalf_of=command.actor.on_behalf_of,
        command=command.name,
        command_id=command.command_id,
        step=step,
        index=0,
        count=count,
        correlation_id=command.correlation_id or command.command_id,
        causation_id=command.causation_id,
        occurred_at=occurred_at,
        effective_at=effective_at,
    ).model_dump_json()
    # Within a JSON string every quote has a backslash before it, so this stands once: one pass serves all events.
    before, after = first.encode().split(b'"index":0', 1)
    return [b'%b"index":%d%b' % (before, index, after) for index in range(count)]


def snapshot_of(aggregate: Aggregate) -> Snapshot:
    """What a recorded aggregate keeps for the next load."""
    return Snapshot(
        topic=aggregate.TOPIC,
        version=aggregate.version,
        shape=aggregate.shape(),
        state=aggregate.freeze(),
        occurred_at=cast("datetime", aggregate.occurred_at),
    )


def recorded_version(aggregate: Aggregate) -> tuple[UUID, int]:
    """The aggregate as history has it: its id and the version without what is told and not yet recorded."""
    return aggregate.id, aggregate.version - len(aggregate.pending_events)


def last_told_at(aggregates: Iterable[Aggregate]) -> datetime:
    """The decision time of the last that any of these aggregates told."""
    return max((a.occurred_at for a in aggregates if a.occurred_at), default=datetime.min.replace(tzinfo=UTC))


def refuse_changed(command: Command, found: Mapping[UUID, int]) -> None:
    """Refuses where an aggregate is at another version than the caller of the command has seen."""
    for id, version in (command.if_versions or {}).items():  # noqa: A001
        if found.get(id, version) != version:
            raise ChangedMeanwhile(seen=version, actual=found[id])


def refuse_large(events: int, largest: int) -> None:
    """One save is at most a few thousand events, and an event fits into a message."""
    if events > EVENTS_PER_SAVE or largest > EVENT_BYTES:
        raise SaveTooLarge(events=events, largest_bytes=largest, events_limit=EVENTS_PER_SAVE, bytes_limit=EVENT_BYTES)


def product_aggregate_id(product_id: str) -> UUID:
    """The stream of a product: its code decides, so that an import may be repeated."""
    return uuid5(CATALOG, f"product:{product_id}")


def offer_id_of(terms: OfferTerms) -> UUID:
    """The stream of an offer: what is fixed for its life decides."""
    return uuid5(CATALOG, f"offer:{terms.product_id}:{terms.term}:{terms.plan}:{terms.currency}")
