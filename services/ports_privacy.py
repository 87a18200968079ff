"""What forgetting needs from the world: the facts with their salts, and a list of erasures outside the database."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.personal import ErasureReason, PersonalFact
from services.ports import Directory


class StoredFact(NamedTuple):
    """A personal fact that is not erased, and where history stood after the save that brought it."""

    fact: PersonalFact
    organization_seq: int


class FactRegister(Directory, Protocol):
    """The personal facts one by one, also those that others have taken the place of."""

    def of_subject(self, organization_id: UUID, subject_id: UUID) -> Sequence[StoredFact]:
        """All facts about a member, oldest first."""

    def by_id(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Sequence[StoredFact]:
        """These facts, oldest first; erased ones are left out."""


class Erasure(NamedTuple):
    """What is about to be erased, by which command."""

    organization_id: UUID
    command_id: UUID
    reason: ErasureReason
    fact_ids: Sequence[UUID]


class Intent(Protocol):
    """An erasure that stands on the list as meant, and not as done."""

    def done(self, position: int) -> None:
        """It is recorded at this position of history: the list says so before anybody gets an answer."""


class ErasureList(Protocol):
    """The erasures outside the database, for a backup that is older than they are."""

    def meaning(self, erasure: Erasure) -> AbstractContextManager[Intent]:
        """Writes down what is meant, before it is recorded; one at a time over all processes.

        Where it ends without `done`, history decides whether it was done.
        """

    def catch_up(self) -> None:
        """Ends what was left as meant, as history has it: for an answer to what somebody else has recorded."""
