"""PaymentMethod: a card by its provider's token, what may be known of it, and which billing profiles charge it."""

from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import Field

from domain.kernel import Aggregate, AggregateBorn, Value
from domain.organization import Organization
from domain.personal import FactRef
from domain.refusals import CardOfAnotherCountry, NotFound, PaymentMethodInUse

CardField = Literal["expiry", "holder", "address", "security_code"]


class Expiry(Value):
    """The last month in which a card can be charged."""

    month: int = Field(ge=1, le=12)
    year: int = Field(ge=2000, le=2999)


class CardFacts(Value):
    """What may be known of a card. The number stays with the provider; `token` is its reference there."""

    provider: str
    token: str = Field(repr=False)
    brand: str
    last4: str = Field(pattern="^[0-9]{4}$")
    expiry: Expiry
    country: str = Field(pattern="^[A-Z]{2}$")  # of the issuer


class PaymentMethod(Aggregate):
    """Belongs to a member. Adding it attaches it to nothing; its number never changes."""

    TOPIC: ClassVar[str] = "seatledger.PaymentMethod"

    class PaymentMethodAdded(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.PaymentMethod.PaymentMethodAdded"
        owner_id: UUID
        card: CardFacts
        holder: FactRef | None
        address: FactRef | None

    class PaymentMethodEdited(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.PaymentMethod.PaymentMethodEdited"
        owner_id: UUID
        changed: tuple[CardField, ...]
        expiry: Expiry
        expiry_before: Expiry
        holder: FactRef | None
        address: FactRef | None

    class PaymentMethodAttached(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.PaymentMethod.PaymentMethodAttached"
        billing_profile_id: UUID

    class PaymentMethodDetached(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.PaymentMethod.PaymentMethodDetached"
        billing_profile_id: UUID

    class PaymentMethodRemoved(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.PaymentMethod.PaymentMethodRemoved"
        owner_id: UUID

    class State(Aggregate.State):
        owner_id: UUID
        card: CardFacts
        holder: FactRef | None
        address: FactRef | None
        charged_by: list[UUID]
        removed: bool

    @classmethod
    def add(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        owner_id: UUID,
        organization: Organization,
        card: CardFacts,
        holder: FactRef | None,
        address: FactRef | None,
    ) -> "PaymentMethod":
        """Stores a card that was issued in the organization's country."""
        if card.country != organization.facts.country:
            raise CardOfAnotherCountry(country=card.country, needed=organization.facts.country)
        return cls.born(cls.PaymentMethodAdded, id=id, owner_id=owner_id, card=card, holder=holder, address=address)

    # What may be asked.

    def refuse_stranger(self, member_id: UUID) -> None:
        """For everybody but its owner a payment method does not exist."""
        if member_id != self.owner_id:
            raise NotFound(what="payment method", key=self.id)

    def refuse_when_removed(self) -> None:
        if self.removed:
            raise NotFound(what="payment method", key=self.id)

    # Commands decide. Repeating one tells nothing.

    def edit(
        self,
        *,
        expiry: Expiry | None,
        holder: FactRef | None,
        address: FactRef | None,
        security_code: bool,
    ) -> None:
        """What the provider has taken over; the names of the changed fields are told, and no security code."""
        self.refuse_when_removed()
        changed: dict[CardField, bool] = {
            "expiry": expiry is not None and expiry != self.card.expiry,
            "holder": holder is not None,
            "address": address is not None,
            "security_code": security_code,
        }
        if any(changed.values()):
            self.tell(
                self.PaymentMethodEdited,
                owner_id=self.owner_id,
                changed=tuple(name for name, told in changed.items() if told),
                expiry=expiry or self.card.expiry,
                expiry_before=self.card.expiry,
                holder=holder or self.holder,
                address=address or self.address,
            )

    def attach(self, billing_profile_id: UUID) -> None:
        """A profile charges it from now on."""
        self.refuse_when_removed()
        if billing_profile_id not in self.charged_by:
            self.tell(self.PaymentMethodAttached, billing_profile_id=billing_profile_id)

    def detach(self, billing_profile_id: UUID) -> None:
        if billing_profile_id in self.charged_by:
            self.tell(self.PaymentMethodDetached, billing_profile_id=billing_profile_id)

    def remove(self) -> None:
        if self.charged_by:
            raise PaymentMethodInUse(payment_method_id=self.id, billing_profile_ids=self.charged_by)
        if not self.removed:
            self.tell(self.PaymentMethodRemoved, owner_id=self.owner_id)

    def forget(self) -> None:
        """Its owner is forgotten and nothing is left to charge: it goes, though a profile may still name it."""
        if not self.removed:
            self.tell(self.PaymentMethodRemoved, owner_id=self.owner_id)

    # Events apply. No rule below this line: history must always replay.

    @event(PaymentMethodAdded)
    def __init__(self, owner_id: UUID, card: CardFacts, holder: FactRef | None, address: FactRef | None) -> None:
        self.owner_id = owner_id
        self.card = card
        self.holder = holder
        self.address = address
        self.charged_by: list[UUID] = []
        self.removed = False

    @event(PaymentMethodEdited)
    def _edited(self, expiry: Expiry, holder: FactRef | None, address: FactRef | None) -> None:
        self.card = self.card.model_copy(update={"expiry": expiry})
        self.holder = holder
        self.address = address

    @event(PaymentMethodAttached)
    def _attached(self, billing_profile_id: UUID) -> None:
        self.charged_by.append(billing_profile_id)

    @event(PaymentMethodDetached)
    def _detached(self, billing_profile_id: UUID) -> None:
        self.charged_by.remove(billing_profile_id)

    @event(PaymentMethodRemoved)
    def _removed(self) -> None:
        self.removed = True
