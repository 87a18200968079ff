"""Named facts: the Contoso five, what they buy, and when."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from domain.billing_profile import BillingProfile, BillTo
from domain.calendar import CHANGE_WINDOW, Period
from domain.invoice import Invoice
from domain.invoice_line import InvoiceLine, LineKind, line_of
from domain.license_pool import Batch, Charge, LicensePool
from domain.member import Member
from domain.offer import Offer, OfferTerms, PriceFacts
from domain.organization import Organization, OrganizationFacts
from domain.payment import Allocation, IncreaseIntent, Payment, PurchaseIntent
from domain.payment_method import CardFacts, Expiry, PaymentMethod
from domain.personal import PersonalFact
from domain.product import Product, ProductFacts
from domain.subscription import Subscription
from domain.tax import TaxRate
from tests.scenario import event


def an_id(number: int) -> UUID:
    """An id that is the same in every run."""
    return UUID(f"00000000-0000-4000-8000-{number:012d}")


# Who.
CHRIS, BEN, DAVID, CYNTHIA, MELISSA = (an_id(number) for number in range(1, 6))
A_STRANGER = an_id(9)

# When.
PURCHASED_AT = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
THE_SAME_DAY = PURCHASED_AT + timedelta(hours=2)
WITHIN_THE_WEEK = PURCHASED_AT + timedelta(days=3)
A_WEEK_LATER = PURCHASED_AT + CHANGE_WINDOW  # the first instant that is too late
THE_LAST_INSTANT = A_WEEK_LATER - timedelta(microseconds=1)
TODAY, TOMORROW, NEXT_WEEK = date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 7)

# What.
SUBSCRIPTION, POOL, OFFER, PRODUCT = (an_id(number) for number in range(11, 15))
PAYMENT_METHOD, BILLING_PROFILE, PAYMENT, INVOICE, ANOTHER_INVOICE = (an_id(number) for number in range(31, 36))
A_CREDIT_NOTE, ANOTHER_CREDIT_NOTE, A_THIRD_CREDIT_NOTE, A_REFUND = (an_id(number) for number in range(36, 40))

POWER_BI_PRO_PRODUCT = ProductFacts(
    product_id="CFQ7TTC0H9MP",
    name="Power BI Pro",
    sku_part_number="POWER_BI_PRO",
    sku_id=UUID("f8a1db68-be16-40ed-86d5-cb42ce701560"),
    self_service=True,
    policies=("Enabled", "Disabled"),
)
POWER_BI_PRO_TERMS = OfferTerms(
    product_id="CFQ7TTC0H9MP", term="P1M", plan="monthly", currency="USD", currency_exponent=2, maximum=300
)
POWER_BI_PRO = PriceFacts(
    offer_id=OFFER, unit_price_minor=1400, price_version=1, **POWER_BI_PRO_TERMS.model_dump()
)  # 14.00 USD a month
POWER_BI_PRO_FOR_A_YEAR = POWER_BI_PRO.model_copy(update={"term": "P1Y"})  # billed monthly
POWER_BI_PRO_PAID_YEARLY = POWER_BI_PRO.model_copy(update={"term": "P1Y", "plan": "annual", "unit_price_minor": 16_800})
CONTOSO_FACTS = OrganizationFacts(handle="contoso", country="US", currency="USD", currency_exponent=2)

FEEDBACK = PersonalFact(
    fact_id=an_id(21), subject_id=CHRIS, purpose="feedback", value="We moved to another report tool.", salt="5a" * 32
)
CHRIS_GREEN = PersonalFact(
    fact_id=an_id(22), subject_id=CHRIS, purpose="display_name", value="Chris Green", salt="1f" * 32
)
CARD_HOLDER = PersonalFact(
    fact_id=an_id(23), subject_id=CHRIS, purpose="card_holder", value="Chris Green", salt="2e" * 32
)
CARD_ADDRESS = PersonalFact(
    fact_id=an_id(24), subject_id=CHRIS, purpose="card_address", value="1 Contoso Way", salt="3d" * 32
)

# How it is paid.
THE_CYCLE = Period(start=date(2025, 1, 31), end=date(2025, 2, 28))  # 28 days
THE_NEXT_CYCLE = Period(start=date(2025, 2, 28), end=date(2025, 3, 31))  # 31 days
A_CARD = CardFacts(
    provider="sandbox",
    token="card_1",
    brand="visa",
    last4="4242",
    expiry=Expiry(month=12, year=2030),
    country="US",
)
A_BILL_TO = BillTo(country="US")
NO_TAX = TaxRate(country="US", name="", rate_ppm=0)
FIVE_PERCENT = TaxRate(country="CA", name="GST", rate_ppm=50_000)

# What has happened.
CONTOSO = partial(Organization.create, CONTOSO_FACTS, first_admin_id=CHRIS)
A_SIMULATION = partial(Organization.create, CONTOSO_FACTS.model_copy(update={"simulation": True}), first_admin_id=CHRIS)
A_MEMBER = partial(Member.add, id=CHRIS, kind="member", details={"display_name": CHRIS_GREEN.ref})
A_GUEST = partial(Member.add, id=BEN, kind="guest", details={})
A_PRODUCT = partial(Product.list, POWER_BI_PRO_PRODUCT, id=PRODUCT)
AN_OFFER = partial(Offer.publish, POWER_BI_PRO_TERMS, 1400, id=OFFER, today=TODAY)


def a_pool_of(total: int) -> Callable[[], LicensePool]:
    """A pool just opened."""
    return partial(opening, total=total)


def opening(**otherwise: Any) -> LicensePool:
    """A pool of three, opened with the purchase, or what is said otherwise."""
    usual: dict[str, Any] = {
        "id": POOL,
        "subscription_id": SUBSCRIPTION,
        "total": 3,
        "price": POWER_BI_PRO,
        "invoice_id": INVOICE,
        "cycle": THE_CYCLE,
        "at": PURCHASED_AT,
    }
    return LicensePool.open(**usual | otherwise)


def a_batch(number: int, licenses: int, opened_at: datetime = PURCHASED_AT) -> Batch:
    return Batch(number=number, licenses=licenses, opened_at=opened_at)


def a_charge(batch: int, *, invoice_id: UUID = INVOICE, line: int = 1, cycle: Period = THE_CYCLE) -> Charge:
    return Charge(invoice_id=invoice_id, line=line, batch=batch, cycle=cycle)


A_POOL_OF_THREE = a_pool_of(3)
RENEWED_WITH_ONE = event(  # a scheduled decrease has taken effect, whoever holds a license
    LicensePool.LicensesResized,
    subscription_id=SUBSCRIPTION,
    product_id=POWER_BI_PRO.product_id,
    offer_id=OFFER,
    total=1,
    total_before=3,
    reason="renewal",
    price=POWER_BI_PRO,
    batches=(a_batch(2, 1, A_WEEK_LATER),),
    removable_until=A_WEEK_LATER + CHANGE_WINDOW,
    charge=a_charge(2, invoice_id=ANOTHER_INVOICE, cycle=THE_NEXT_CYCLE),
    document_id=ANOTHER_INVOICE,
    credit_note_ids=(),
    over_assigned_until=date(2025, 3, 31),
)


def candidates(*member_ids: UUID, but: dict[UUID, Member | None] | None = None) -> dict[UUID, Member | None]:
    """Active members, as the ledger finds them; `but` for some."""
    return {member_id: Member.add(id=member_id, kind="member", details={}) for member_id in member_ids} | (but or {})


def holding(*member_ids: UUID) -> Callable[[LicensePool], None]:
    """Each of them holds a license."""
    return lambda pool: pool.assign(candidates(*member_ids))


CHRIS_HOLDS_ONE, BEN_HOLDS_ONE, DAVID_HOLDS_ONE = holding(CHRIS), holding(BEN), holding(DAVID)


def closed(pool: LicensePool) -> None:
    pool.close("cancelled")


def resized_to(total: int, at: datetime, *, invoice_id: UUID = ANOTHER_INVOICE) -> Callable[[LicensePool], None]:
    """An increase with an invoice of its own, or a decrease with a credit note."""

    def resize(pool: LicensePool) -> None:
        if total > pool.total:
            pool.increase(total, POWER_BI_PRO, invoice_id=invoice_id, at=at)
        elif total < pool.total:
            pool.decrease(total, POWER_BI_PRO, credit_note_ids=[A_CREDIT_NOTE], at=at)

    return resize


def buying(**otherwise: Any) -> Callable[[], Subscription]:
    """Chris buys three licenses of Power BI Pro for Contoso, or what is said otherwise."""
    usual: dict[str, Any] = {
        "id": SUBSCRIPTION,
        "pool_id": POOL,
        "organization": CONTOSO(),
        "purchaser": A_MEMBER(),
        "product": POWER_BI_PRO_PRODUCT,
        "price": POWER_BI_PRO,
        "licenses": 3,
        "channel": "self_service",
        "billing_profile_id": BILLING_PROFILE,
        "invoice_id": INVOICE,
        "at": PURCHASED_AT,
    }
    return partial(Subscription.purchase, **usual | otherwise)


A_SUBSCRIPTION = buying()
A_SUBSCRIPTION_FOR_A_YEAR = buying(price=POWER_BI_PRO_FOR_A_YEAR)


def adding_a_card(**otherwise: Any) -> Callable[[], PaymentMethod]:
    """Chris adds a card that was issued in Contoso's country, or what is said otherwise."""
    usual: dict[str, Any] = {
        "id": PAYMENT_METHOD,
        "owner_id": CHRIS,
        "organization": CONTOSO(),
        "card": A_CARD,
        "holder": CARD_HOLDER.ref,
        "address": CARD_ADDRESS.ref,
    }
    return partial(PaymentMethod.add, **usual | otherwise)


A_PAYMENT_METHOD = adding_a_card()
A_BILLING_PROFILE = partial(
    BillingProfile.open,
    id=BILLING_PROFILE,
    owner_id=CHRIS,
    currency="USD",
    currency_exponent=2,
    payment_method_id=PAYMENT_METHOD,
    bill_to=A_BILL_TO,
)


def a_line(
    licenses: int = 3,
    *,
    number: int = 1,
    kind: LineKind = "purchase",
    batch: int = 1,
    price: PriceFacts = POWER_BI_PRO,
    cycle: Period = THE_CYCLE,
    since: date = TODAY,
    subscription_id: UUID = SUBSCRIPTION,
) -> InvoiceLine:
    """Licenses from a day to the end of their cycle; three for the whole first cycle cost 42.00."""
    return line_of(
        price,
        number=number,
        kind=kind,
        subscription_id=subscription_id,
        product_name=POWER_BI_PRO_PRODUCT.name,
        batch=batch,
        cycle=cycle,
        since=since,
        quantity=licenses,
    )


def issuing(*lines: InvoiceLine, **otherwise: Any) -> Callable[[], Invoice]:
    """The invoice of a purchase of three licenses, untaxed, or what is said otherwise."""
    usual: dict[str, Any] = {
        "id": INVOICE,
        "lines": lines or (a_line(),),
        "tax_rate": NO_TAX,
        "billing_profile_id": BILLING_PROFILE,
        "number": "W57DWE-Z2KKH7-000001",
        "reason": "purchase",
        "issued_on": TODAY,
        "due_on": TODAY,
        "bill_to": A_BILL_TO,
        "po_number": None,
        "currency": "USD",
        "currency_exponent": 2,
    }
    return partial(Invoice.issue, **usual | otherwise)


AN_INVOICE = issuing()


def requesting(amount_minor: int = 4_200, **otherwise: Any) -> Callable[[], Payment]:
    """The payment of that invoice, or what is said otherwise."""
    usual: dict[str, Any] = {
        "id": PAYMENT,
        "billing_profile_id": BILLING_PROFILE,
        "payment_method_id": PAYMENT_METHOD,
        "amount_minor": amount_minor,
        "currency": "USD",
        "allocation": (Allocation(invoice_id=INVOICE, amount_minor=amount_minor),),
        "intent": None,
        "on_session": True,
        "requested_at": PURCHASED_AT,
    }
    return partial(Payment.request, **usual | otherwise)


A_PAYMENT = requesting()
A_PURCHASE = PurchaseIntent(
    price=POWER_BI_PRO,
    period=THE_CYCLE,
    cycle_days=28,
    tax_rate=NO_TAX,
    subscription_id=SUBSCRIPTION,
    offer_id=OFFER,
    licenses=3,
    channel="self_service",
    purchaser_id=CHRIS,
)
AN_INCREASE = IncreaseIntent(
    price=POWER_BI_PRO,
    period=Period(start=date(2025, 2, 10), end=THE_CYCLE.end),
    cycle_days=28,
    tax_rate=NO_TAX,
    subscription_id=SUBSCRIPTION,
    total=105,
    total_before=100,
)
