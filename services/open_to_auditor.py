"""Open to an auditor: personal facts as far as a grant opens them, each look recorded before it is answered."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from uuid import UUID, uuid5

from domain.auditor_access import AuditorAccess, access_id_of
from domain.personal import Purpose
from domain.refusals import NotAllowed
from services.command import Actor, Command
from services.ledger import Ledger, operation
from services.may import standing_of
from services.ports import Receipt
from services.ports_privacy import FactRegister

WITHHELD = "[withheld]"  # of people whom no grant opens


class ReadPersonalFacts(Command):
    """`reading` is what the auditor asked for; nothing of the facts stands in it."""

    reading: str
    subject_ids: tuple[UUID, ...]
    purposes: tuple[Purpose, ...]


class OpenToAuditor:
    """A directory for one request of an auditor, in whatever role they ask: implements `services.ports.Directory`.

    `read_id` is of this request alone. Nothing is answered of which history does not say that it was read; what was
    recorded for this request is not recorded again.
    """

    def __init__(
        self,
        ledger: Ledger,
        register: FactRegister,
        *,
        organization_id: UUID,
        actor: Actor,
        reading: str,
        read_id: UUID,
    ) -> None:
        self._ledger, self._register = ledger, register
        self._organization_id, self._actor = organization_id, actor
        self._reading, self._read_id = reading, read_id
        self._looks = count()
        self._recorded: set[tuple[UUID, Purpose]] = set()

    @cached_property
    def _access(self) -> AuditorAccess | None:
        return self._ledger.find_access(self._organization_id, self._actor.id)

    @cached_property
    def _at(self) -> datetime:
        """The organization's time."""
        return self._ledger.now(self._ledger.organization(self._organization_id))

    def opens(self, subject_id: UUID) -> bool:
        """Whether a grant opens what is known of a member; who buys is no stranger to themselves."""
        if self._is_own(subject_id):
            return True
        return self._access is not None and self._access.opening(subject_id, self._at) is not None

    def _is_own(self, subject_id: UUID) -> bool:
        return subject_id == self._actor.id and self._actor.role != "auditor"

    def member_ids(self, organization_id: UUID, user_names: Sequence[str]) -> Mapping[str, UUID]:
        """Of those whom a grant opens: that somebody has a name is told like the name."""
        known = self._register.member_ids(organization_id, user_names)
        found = {name: member_id for name, member_id in known.items() if self.opens(member_id)}
        self._record((member_id, "user_name") for member_id in found.values())
        return found

    def details(self, organization_id: UUID, member_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
        """Of those whom a grant opens."""
        opened = [one for one in member_ids if self.opens(one)]
        found = self._register.details(organization_id, opened) if opened else {}
        self._record((member_id, purpose) for member_id, details in found.items() for purpose in details)
        return found

    def facts(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Those of others read `[withheld]`."""
        found = [stored.fact for stored in self._register.by_id(organization_id, fact_ids)] if fact_ids else []
        opened = {fact.subject_id: self.opens(fact.subject_id) for fact in found}
        self._record((fact.subject_id, fact.purpose) for fact in found if opened[fact.subject_id])
        return {fact.fact_id: fact.value if opened[fact.subject_id] else WITHHELD for fact in found}

    def _record(self, read: Iterable[tuple[UUID, Purpose]]) -> None:
        """Refuses where no grant opens them any more; then nothing is answered."""
        new = dict.fromkeys(one for one in read if one not in self._recorded and not self._is_own(one[0]))
        if not new:
            return
        command = ReadPersonalFacts(
            organization_id=self._organization_id,
            command_id=uuid5(self._read_id, f"look:{next(self._looks)}"),
            actor=self._actor,
            reading=self._reading,
            subject_ids=tuple(dict.fromkeys(subject_id for subject_id, _ in new)),
            purposes=tuple(sorted({purpose for _, purpose in new})),
        )
        record_read(self._ledger, command)
        self._recorded |= new.keys()


@operation
def record_read(ledger: Ledger, command: ReadPersonalFacts) -> Receipt:
    """One event for each grant that opens some of them, however many names it is about."""
    standing = standing_of(ledger, command)
    organization_id, auditor_id = command.organization_id, command.actor.id
    access = ledger.get(AuditorAccess, organization_id, access_id_of(organization_id, auditor_id))
    at = ledger.now(standing.organization, access)
    by_grant: dict[UUID, list[UUID]] = {}
    for subject_id in command.subject_ids:
        if (grant_id := access.opening(subject_id, at)) is None:
            raise NotAllowed(action="read personal facts", remedy="the grant has ended; ask an admin for another")
        by_grant.setdefault(grant_id, []).append(subject_id)
    for grant_id, subject_ids in by_grant.items():
        access.read(grant_id, operation=command.reading, subject_ids=subject_ids, purposes=command.purposes)
    return ledger.save(access, seen=standing.seen, because=command, at=at)
