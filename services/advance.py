"""Advance: the life-cycle run. Takes every step that is due by a moment; idempotent, resumable, safe in parallel."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from domain.calendar import utc_date
from domain.kernel import Value
from domain.organization import Organization
from domain.refusals import NotYetThen
from services.books import open_all_books
from services.command import Actor, Command
from services.ledger import Ledger
from services.life_cycle import LIFE_CYCLE, Recording, take_due_steps
from services.may import may
from services.ports import AlreadyRecorded
from services.ports_reads import DueProfile
from services.resume_payments import resume_payment
from services.till import Till

SANDBOX = "sandbox"
CHUNK = 100  # profiles whose steps are saved together


class Advance(Value):
    """What is due by `as_of`, or by now. Later than now only for simulated organizations on the sandbox gateway."""

    actor: Actor
    as_of: datetime | None = None


class LiveOn(Command):
    """A simulated organization's time goes on."""

    as_of: datetime


class Advanced(Value):
    """What a run did."""

    profiles: int = 0
    rounds: int = 0  # due days, over all profiles
    payments: int = 0  # resumed or looked at


def advance_organization(
    ledger: Ledger,
    till: Till,
    command: Advance,
    *,
    organization_id: UUID,
    due: Iterable[DueProfile],
    told: Callable[[Advanced], None] = lambda _: None,
) -> Advanced:
    """Takes the due steps of an organization's profiles, a chunk at a time; `told` hears of progress."""
    may(command.actor, "run the life cycle")
    organization = ledger.organization(organization_id)
    as_of = command.as_of or ledger.now(organization)
    refuse_future(ledger, till, organization, as_of)
    if organization.facts.simulation:
        live_on(ledger, command, organization_id, as_of)
    done = Advanced()
    for chunk in chunks(due, CHUNK):
        run = Chunk(ledger, till, organization_id, chunk, as_of)
        rounds = ledger.until_saved(organization_id, run.take)
        payments = run.resume()
        done = Advanced(
            profiles=done.profiles + len(chunk), rounds=done.rounds + rounds, payments=done.payments + payments
        )
        told(done)
    return done


@dataclass(frozen=True)
class Chunk:
    """Profiles of an organization whose steps are taken together."""

    ledger: Ledger
    till: Till
    organization_id: UUID
    due: Sequence[DueProfile]
    as_of: datetime

    def take(self) -> int:
        """From fresh loads; one worker at a time within the organization."""
        with self.ledger.history.turn(self.organization_id, self.organization_id):
            organization = self.ledger.organization(self.organization_id)
            at = self.ledger.now(organization)
            profile_ids = [profile.billing_profile_id for profile in self.due]
            return take_due_steps(
                open_all_books(self.ledger, organization, profile_ids),
                self.till,
                self.ledger.prices,
                Recording(self.ledger, self.organization_id, at),
                at=at,
                until=utc_date(self.as_of),
            )

    def resume(self) -> int:
        """Looks after payments that wait for an end, and answers how many there were."""
        payment_ids = [payment_id for profile in self.due for payment_id in profile.payment_ids]
        for payment_id in payment_ids:
            organization = self.ledger.organization(self.organization_id)
            resume_payment(self.ledger, self.till, organization, payment_id, at=self.ledger.now(organization))
        return len(payment_ids)


def refuse_future(ledger: Ledger, till: Till, organization: Organization, as_of: datetime) -> None:
    """Only who is simulated, and pays nobody, lives ahead of the clock."""
    now = ledger.now(organization)
    if as_of > now and not (organization.facts.simulation and till.gateway.name == SANDBOX):
        raise NotYetThen(as_of=as_of, now=now)


def live_on(ledger: Ledger, command: Advance, organization_id: UUID, at: datetime) -> None:
    """A simulated organization is at this moment now, whatever the clock says."""
    lives = LiveOn(
        organization_id=organization_id,
        command_id=LIFE_CYCLE.id,
        actor=command.actor,
        as_of=at,
    )

    def attempt() -> None:
        organization = ledger.organization(organization_id)
        organization.advance(at)
        if organization.pending_events:
            with suppress(AlreadyRecorded):  # by another worker of the same run
                ledger.save(organization, because=lives, at=at, step=at.isoformat())

    ledger.until_saved(organization_id, attempt)


def chunks(due: Iterable[DueProfile], size: int) -> Iterator[list[DueProfile]]:
    due = iter(due)
    while chunk := list(islice(due, size)):
        yield chunk
