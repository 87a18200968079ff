"""The billing profile that a command is about, for who has a role on it, with its due steps taken first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.billing_profile import BillingProfile, ProfileAct
from domain.kernel import Aggregate
from domain.refusals import NotFound
from services.books import Books
from services.command import Command
from services.ledger import Ledger
from services.may import Action, Standing, Wish, may, standing_of
from services.purchase import books_up_to_date
from services.till import Till


@dataclass
class AtHand:
    """The books of a profile; `at` is when the command decides."""

    standing: Standing
    books: Books
    at: datetime

    @property
    def profile(self) -> BillingProfile:
        return self.books.profile

    @property
    def seen(self) -> list[Aggregate]:
        return [*self.standing.seen, self.profile]


def profile_of(
    ledger: Ledger, till: Till, command: Command, billing_profile_id: UUID, *, action: Action, act: ProfileAct
) -> AtHand:
    """Refuses who has no role on the profile: for them it does not exist, or asks for a higher role."""
    standing = standing_of(ledger, command)
    may(command.actor, action)
    profile = ledger.billing_profile(command.organization_id, billing_profile_id)
    refuse_outsider(profile, command, act)
    books, at = books_up_to_date(ledger, till, standing.organization, billing_profile_id, because=command.command_id)
    return AtHand(standing, books, at)


def refuse_outsider(profile: BillingProfile, wish: Wish, act: ProfileAct) -> None:
    """Who has no role on a profile does not see that it is there."""
    if not profile.role_of(wish.actor.id):
        raise NotFound(what="billing profile", key=profile.id)
    profile.refuse_unless(wish.actor.id, act)
