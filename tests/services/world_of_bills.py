"""An organization of its own for each story of money: a member with a card who buys, and the days that go by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

from adapters.payments.sandbox import Sandbox
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.recorder import LedgerRecorder
from adapters.tax.rates import TaxTable
from domain.billing_profile import BillingProfile
from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.offer import OfferTerms
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.payment import Payment
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.advance import Advance, advance_organization
from services.buy_subscription import BuySubscription, buy_subscription, own_profile_id
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import Ledger, offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import Receipt
from services.ports_reads import DueProfile
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.schedule_price import SchedulePrice, schedule_price
from services.till import Till
from tests.services.contoso import CHRIS_ROW, OPERATOR, Clock, a_product

C = TypeVar("C", bound=Command)


@dataclass
class Bills:
    """Chris buys, pays and cancels; the life-cycle run comes when a test says which day it is."""

    ledger: Ledger
    clock: Clock
    country: str = "US"
    currency: str = "USD"
    exponent: int = 2
    card: str = "tok_visa"
    handle: str = field(default_factory=lambda: f"bills-{uuid4().hex}")

    def __post_init__(self) -> None:
        self.organization_id = organization_id_of(self.handle)
        self.gateway = Sandbox(None, clock=self.clock)
        self.till = Till(self.gateway, TaxTable.read(None))
        facts = OrganizationFacts(
            handle=self.handle, country=self.country, currency=self.currency, currency_exponent=self.exponent
        )
        founding = self.by(OPERATOR, CreateOrganization, facts=facts, first_admin=CHRIS_ROW)
        create_organization(self.ledger, founding)
        self.chris = founding.first_admin_id
        self.buyer = Actor(id=self.chris, role="purchaser")
        self.profile_id = own_profile_id(self.organization_id, self.chris)
        method_id = self.adds_card(self.card)
        open_billing_profile(self.ledger, self.does(OpenBillingProfile, payment_method_id=method_id))

    def by(self, actor: Actor, kind: type[C], **content: Any) -> C:
        return kind(**{"organization_id": self.organization_id, "command_id": uuid4(), "actor": actor, **content})

    def does(self, kind: type[C], **content: Any) -> C:
        return self.by(self.buyer, kind, **content)

    def sells(self, unit_price_minor: int, **terms: Any) -> OfferTerms:
        """A product of its own under the organization's currency."""
        product = a_product()
        row = OfferRow(
            terms=OfferTerms(
                **{
                    "product_id": product.product_id,
                    "term": "P1M",
                    "plan": "monthly",
                    "currency": self.currency,
                    "currency_exponent": self.exponent,
                    "maximum": 1_000,
                    **terms,
                }
            ),
            unit_price_minor=unit_price_minor,
        )
        listing = self.by(OPERATOR, ImportCatalog, organization_id=CATALOG, products=(product,), offers=(row,))
        import_catalog(self.ledger, listing)
        return row.terms

    def reprices(self, terms: OfferTerms, unit_price_minor: int, effective_on: str) -> None:
        price = self.by(
            OPERATOR,
            SchedulePrice,
            organization_id=CATALOG,
            offer_id=offer_id_of(terms),
            unit_price_minor=unit_price_minor,
            effective_on=date.fromisoformat(effective_on),
        )
        schedule_price(self.ledger, price)

    def imports(self, row: MemberRow) -> UUID:
        """Somebody else of the organization."""
        directory = PersonalDirectory(cast("LedgerRecorder", self.ledger.recorder).datastore)
        importing = self.by(Actor(id=self.chris, role="admin"), ImportMembers, rows=(row,))
        import_members(self.ledger, importing, directory)
        return directory.member_ids(self.organization_id, [row.user_name])[row.user_name]

    # What Chris does.

    def adds_card(self, token: str) -> UUID:
        suffix = "" if self.country == "US" else f"_{self.country.lower()}"
        name, colon, word = token.partition(":")
        command = self.does(AddPaymentMethod, token=f"{name}{suffix}{colon}{word}")
        add_payment_method(self.ledger, command, self.till)
        return command.payment_method_id

    def changes_card(self, token: str) -> None:
        method_id = self.adds_card(token)
        command = self.does(ReplacePaymentMethod, billing_profile_id=self.profile_id, payment_method_id=method_id)
        replace_payment_method(self.ledger, command, self.till)

    def buys(self, licenses: int, terms: OfferTerms) -> UUID:
        command = self.does(BuySubscription, offer_id=offer_id_of(terms), licenses=licenses)
        buy_subscription(self.ledger, command, self.till)
        return command.subscription_id

    def resizes(self, subscription_id: UUID, total: int) -> Receipt:
        command = self.does(ResizeLicenses, subscription_id=subscription_id, total=total)
        return resize_licenses(self.ledger, command, self.till)

    def cancels(self, subscription_id: UUID, when: str = "now") -> None:
        command = self.does(CancelSubscription, subscription_id=subscription_id, when=when, reason="other")
        cancel_subscription(self.ledger, command, self.till)

    # What time does.

    def at(self, year: int, month: int, day: int, hour: int = 9, minute: int = 30) -> "Bills":
        """It is that moment now."""
        self.clock.now = datetime(year, month, day, hour, minute, tzinfo=UTC)
        return self

    def runs(self) -> None:
        """The life-cycle run, which looks at every payment as well."""
        profile = DueProfile(self.organization_id, self.profile_id, tuple(self.payment_ids))
        command = Advance(actor=OPERATOR)
        advance_organization(self.ledger, self.till, command, organization_id=self.organization_id, due=[profile])

    # What can be seen.

    def history(self) -> list[RecordedEvent]:
        return self.ledger.history.told(self.organization_id, after=0, until=2**60)

    def told(self, kind: Any) -> Iterator[Any]:
        """The events of a kind, oldest first."""
        return (self.ledger.mapper.to_domain_event(event) for event in self.history() if event.topic == kind.TOPIC)

    def ids_of(self, kind: Any) -> list[UUID]:
        return [event.originator_id for event in self.told(kind)]

    @property
    def payment_ids(self) -> list[UUID]:
        return self.ids_of(Payment.PaymentRequested)

    @property
    def invoices(self) -> list[Invoice]:
        """All invoices, oldest first."""
        return [self.ledger.invoice(self.organization_id, one) for one in self.ids_of(Invoice.InvoiceIssued)]

    @property
    def profile(self) -> BillingProfile:
        return self.ledger.billing_profile(self.organization_id, self.profile_id)
