"""A world for one random history: an organization, its people, cards and profiles, a catalog, a provider, and a clock.

Everything in it is made of the numbers that it is given, so that the same history comes about again.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from adapters.payments.sandbox import Sandbox
from adapters.tax.rates import TaxTable
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.refusals import Refusal
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.buy_subscription import own_profile_id
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.import_catalog import ImportCatalog, import_catalog
from services.import_members import ImportMembers, import_members
from services.ledger import offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import LedgerUnavailable, Receipt
from services.ports_payments import GatewayUnavailable
from services.quote import Quotable, Quote, quote
from services.resume_payments import resume_payment
from services.till import Till
from tests.services.contoso import OPERATOR, Clock, HoldingsOfHistory, generated
from tests.services.memory_recorder import MemoryDirectory, MemoryRecorder, memory_ledger
from tests.simulation.beginning import BUYERS, PEOPLE, PRODUCTS, Beginning, Counts
from tests.simulation.proposals import Proposals
from tests.simulation.reading import Reading

C = TypeVar("C", bound=Command)

TAXES = TaxTable.read(None)
IDS = UUID("7d0b6f0e-6f8e-5b52-8d2b-0a9c3c7c9a11")
HANDLE = "simulated"


class World:
    """Acts come in one by one; after each the reading of its history is brought up to date, and judges it."""

    def __init__(self, beginning: Beginning, *, counts: Counts | None = None) -> None:
        self.beginning = beginning
        self.clock = Clock(beginning.at)
        self.counts = counts or Counts()
        self.ledger = memory_ledger(self.clock)
        self.sandbox = Sandbox(None, clock=self.clock)
        self.organization_id = organization_id_of(HANDLE)
        self.ids = 0
        self.latest = beginning.at  # that the clock ever showed
        self.unanswered: list[tuple[Command, Callable[[Any], Receipt]]] = []
        self.reading = Reading(self)
        self.proposals = Proposals(self)
        self.answered: tuple[Command, Callable[[Any], Receipt], Receipt] | None = None
        self.refusal: str | None = None  # of the last command
        self.between = False  # somebody came between while it was carried out
        self.doubled: int | None = None  # the next command comes twice at once, at the save after so many
        self._found()

    @property
    def recorder(self) -> MemoryRecorder:
        assert isinstance(self.ledger.history, MemoryRecorder)
        return self.ledger.history

    @property
    def till(self) -> Till:
        return Till(self.sandbox, TAXES)

    @property
    def directory(self) -> MemoryDirectory:
        return MemoryDirectory(self.recorder)

    @property
    def holdings(self) -> HoldingsOfHistory:
        return HoldingsOfHistory(self.ledger)

    @property
    def head(self) -> int:
        return len(self.recorder.organizations[self.organization_id])

    def copy(self) -> "World":
        """The same world from here on, apart."""
        other = World.__new__(World)
        other.beginning, other.clock, other.counts = self.beginning, Clock(self.clock.now), Counts()
        other.ledger = memory_ledger(other.clock, self.ledger)
        other.sandbox = copied(self.sandbox, other.clock)
        other.latest = self.latest
        other.organization_id, other.ids, other.unanswered = self.organization_id, self.ids, list(self.unanswered)
        other.people, other.offer_ids = list(self.people), list(self.offer_ids)
        other.cards = {owner: list(cards) for owner, cards in self.cards.items()}
        other.proposals, other.answered, other.refusal, other.between = Proposals(other), None, None, False
        other.doubled = None
        other.reading = self.reading.copy_for(other)
        return other

    def turn_clock(self, by: timedelta) -> None:
        """On, or a little back: clocks of machines are not always right."""
        self.clock.now += by
        self.latest = max(self.latest, self.clock.now)

    def take_hints(self) -> None:
        """What the provider hinted at is looked at: a dispute, a refund that came back."""
        for payment_id in dict.fromkeys(notice.payment_id for notice in self.sandbox.notices()):
            organization = self.ledger.organization(self.organization_id)
            resume_payment(self.ledger, self.till, organization, payment_id, at=self.ledger.now(organization))
        self.reading.catch_up()

    # Acts.

    def new_id(self) -> UUID:
        self.ids += 1
        return uuid5(IDS, str(self.ids))

    def command(self, kind: type[C], by: Actor, /, **content: Any) -> C:
        usual = {"organization_id": self.organization_id, "command_id": self.new_id(), "actor": by}
        return kind(**{**usual, **content})

    def act(self, command: C, carry_out: Callable[[C], Receipt]) -> Receipt | None:
        """The receipt; None: it was refused, or the answer was lost. Whatever else goes wrong is an error."""
        before, receipt = self.head, None
        self.counts.commands += 1
        self.refusal, self.between = None, False
        if self.doubled is not None:
            self._double(command, carry_out)
        try:
            receipt = carry_out(command)
            self.answered = command, carry_out, receipt
        except Refusal as refusal:
            self.refusal = refusal.code
            self.counts.refusals[refusal.code] += 1
            self.reading.refuse_what_a_refusal_told(command, before, refusal)
            if refusal.code in {"payment_action_required", "payment_outcome_unknown"}:
                self.unanswered.append((command, carry_out))
        except (LedgerUnavailable, GatewayUnavailable) as lost:
            self.counts.faults[type(lost).__name__] += 1
            self.unanswered.append((command, carry_out))
        self.reading.catch_up()
        return receipt

    def _double(self, command: C, carry_out: Callable[[C], Receipt]) -> None:
        """The same command comes a second time while it is being carried out: at one of its saves."""

        def come() -> None:
            self.between = True
            with suppress(Refusal, LedgerUnavailable, GatewayUnavailable):
                carry_out(command)

        skip, self.doubled = self.doubled or 0, None
        self.counts.faults["the same command comes between"] += 1
        self.disturb(skip, come, after=False)

    def repeat_answered(self) -> None:
        """The command that was carried out last comes again."""
        assert self.answered is not None
        command, carry_out, receipt = self.answered
        before = self.head
        try:
            again = carry_out(command)
        except (LedgerUnavailable, GatewayUnavailable):
            return
        finally:
            self.reading.catch_up()
        assert again == receipt, f"{command.name} is answered otherwise when it is repeated"
        told = [event.envelope for event in self.recorder.organizations[self.organization_id][before:]]
        assert not [one for one in told if one.command_id == command.command_id], f"{command.name} told twice"
        self.counts.laws["a repeated command is answered with its receipt"] += 1

    def quoted(self, command: Quotable) -> Quote | None:
        """What the command would come to; None where it would be refused. Nothing is recorded."""
        before = self.head
        try:
            return quote(self.ledger, self.till, command)
        except (Refusal, GatewayUnavailable):
            return None
        finally:
            assert self.head == before, "a quote was recorded"

    def disturb(self, skip: int, disturbance: Callable[[], None], *, after: bool) -> None:
        """Once, at the save after so many others."""
        self.undisturb()
        recorder, append = self.recorder, self.recorder.append
        left = skip

        def disturbed(*args: Any, **about: Any) -> Receipt:
            nonlocal left
            left -= 1
            if left >= 0:
                return append(*args, **about)
            self.undisturb()
            if not after:
                disturbance()
            receipt = append(*args, **about)
            if after:
                disturbance()
            return receipt

        recorder.append = disturbed  # type: ignore[method-assign]

    def undisturb(self) -> None:
        self.recorder.__dict__.pop("append", None)

    def buyer(self, number: int) -> Actor:
        return Actor(id=self.people[number % BUYERS], role="purchaser")

    @property
    def admin(self) -> Actor:
        return Actor(id=self.people[0], role="admin")

    def actor_for(self, subscription_id: UUID) -> Actor:
        """Who may change a purchase: its purchaser, or an admin where it was bought centrally."""
        subscription = self.ledger.subscription(self.organization_id, subscription_id)
        central = subscription.channel == "central"
        return self.admin if central else Actor(id=subscription.purchaser_id, role="purchaser")

    def add_card(self, owner: Actor, token: str) -> UUID | None:
        """Stores a card made of a magic token, of the organization's country."""
        name, _, other = token.partition(":")
        token = f"{name}_{self.beginning.country.lower()}{':' * bool(other)}{other}"
        command = self.command(AddPaymentMethod, owner, token=token)
        if self.act(command, lambda command: add_payment_method(self.ledger, command, self.till)) is None:
            return None
        self.cards.setdefault(owner.id, []).append(command.payment_method_id)
        return command.payment_method_id

    def own_profile(self, member_id: UUID) -> UUID:
        return own_profile_id(self.organization_id, member_id)

    # How it begins.

    def _found(self) -> None:
        first, *others = (generated(number) for number in range(1, PEOPLE + 1))
        beginning = self.beginning
        catalog = self.command(
            ImportCatalog, OPERATOR, organization_id=CATALOG, products=PRODUCTS, offers=tuple(beginning.offers())
        )
        import_catalog(self.ledger, catalog)
        self.offer_ids = [offer_id_of(row.terms) for row in beginning.offers()]
        facts = OrganizationFacts(
            handle=HANDLE,
            country=beginning.country,
            currency=beginning.currency,
            currency_exponent=beginning.exponent,
        )
        founding = self.command(CreateOrganization, OPERATOR, facts=facts, first_admin=first)
        create_organization(self.ledger, founding)
        importing = self.command(ImportMembers, OPERATOR, rows=tuple(others))
        import_members(self.ledger, importing, self.directory)
        known = self.directory.member_ids(self.organization_id, [row.user_name for row in others])
        self.people = [founding.first_admin_id, *(known[row.user_name] for row in others)]
        self.cards: dict[UUID, list[UUID]] = {}
        for number in range(BUYERS):
            owner = self.buyer(number)
            card = self.add_card(owner, "tok_visa:first")
            opening = self.command(OpenBillingProfile, owner, payment_method_id=card)
            open_billing_profile(self.ledger, opening)
        self.reading.catch_up()


def copied(sandbox: Sandbox, clock: Clock) -> Sandbox:
    """The same provider from here on, apart."""
    other = Sandbox(None, clock=clock)
    with sandbox._file._lock:
        sandbox._file._connection.backup(other._file._connection)
    return other


def utc(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)
