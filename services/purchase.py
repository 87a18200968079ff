"""The purchase that a command is about, or the profile, with the due steps of all that is billed there taken first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization
from domain.refusals import NotFound
from domain.subscription import Subscription
from services.books import Books, open_books
from services.ledger import Ledger
from services.life_cycle import Keeper, Recording, Rehearsal, take_due_steps
from services.may import Action, Standing, Wish, may, parties_to, standing_in
from services.rehearsed_gateway import RehearsedGateway
from services.till import Till


class PurchaseWish(Wish, Protocol):
    """A command about one subscription."""

    @property
    def subscription_id(self) -> UUID: ...

    @property
    def command_id(self) -> UUID: ...


@dataclass
class Purchase:
    """A subscription in the books of its profile; `at` is when the command decides."""

    standing: Standing
    books: Books
    subscription: Subscription
    pool: LicensePool
    at: datetime

    @property
    def told(self) -> list[Aggregate]:
        return self.books.told()

    @property
    def seen(self) -> list[Aggregate]:
        """What the decision rests on whether it tells something or not."""
        return [*self.standing.seen, self.subscription, self.pool]


def purchase_of(
    ledger: Ledger,
    till: Till,
    command: PurchaseWish,
    action: Action,
    *,
    at: datetime | None = None,
    rehearse: bool = False,
) -> Purchase:
    """Loads what the command is about, asks whether it may, and takes the due steps; somebody else's is not found."""
    parties = parties_to(command) | {command.subscription_id: Subscription}
    at_hand = ledger.find_all(command.organization_id, parties)
    found = at_hand.get(command.subscription_id)
    if not isinstance(found, Subscription):
        raise NotFound(what="subscription", key=command.subscription_id)
    standing = standing_in(at_hand, command)
    may(command.actor, action, found)
    wanted: dict[UUID, type[Aggregate]] = {found.billing_profile_id: BillingProfile, found.pool_id: LicensePool}
    at_hand |= ledger.find_all(command.organization_id, wanted | {found.purchaser_id: Member})
    books, _ = books_up_to_date(
        ledger,
        till,
        standing.organization,
        found.billing_profile_id,
        because=command.command_id,
        known=at_hand,
        rehearse=rehearse,
    )
    subscription = books.subscriptions.get(found.id) or found
    pool = books.pools.get(found.id) or at_hand[found.pool_id]
    assert isinstance(pool, LicensePool)  # noqa: S101 - a subscription has one
    books.subscriptions[found.id], books.pools[found.id] = subscription, pool
    return Purchase(standing, books, subscription, pool, at or ledger.now(books.organization, subscription, pool))


def books_up_to_date(
    ledger: Ledger,
    till: Till,
    organization: Organization,
    billing_profile_id: UUID,
    *,
    because: UUID,
    known: Mapping[UUID, Aggregate] | None = None,
    rehearse: bool = False,
) -> tuple[Books, datetime]:
    """The books of a profile with its due steps taken, and the moment as of which; a rehearsal records nothing.

    What is `known` was loaded just now.
    """
    books = open_books(ledger, organization, billing_profile_id, known=known)
    at = ledger.now(organization, books.profile)
    keeper: Keeper = Recording(ledger, organization.id, at, because)
    if rehearse:
        keeper, till = Rehearsal(), till._replace(gateway=RehearsedGateway(till.gateway))
    take_due_steps([books], till, ledger.prices, keeper, at=at)
    return books, at
