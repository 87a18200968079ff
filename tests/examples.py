"""Named facts: the Contoso five, what they buy, and when."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from domain.calendar import CHANGE_WINDOW
from domain.license_pool import Batch, LicensePool
from domain.member import Member
from domain.offer import Offer, OfferTerms, PriceFacts
from domain.organization import Organization, OrganizationFacts
from domain.personal import PersonalFact
from domain.product import Product, ProductFacts
from domain.subscription import Subscription
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

# What has happened.
CONTOSO = partial(Organization.create, CONTOSO_FACTS, first_admin_id=CHRIS)
A_MEMBER = partial(Member.add, id=CHRIS, kind="member", details={"display_name": CHRIS_GREEN.ref})
A_GUEST = partial(Member.add, id=BEN, kind="guest", details={})
A_PRODUCT = partial(Product.list, POWER_BI_PRO_PRODUCT, id=PRODUCT)
AN_OFFER = partial(Offer.publish, POWER_BI_PRO_TERMS, 1400, id=OFFER, today=TODAY)


def a_pool_of(total: int) -> Callable[[], LicensePool]:
    """A pool just opened."""
    return partial(
        LicensePool.open, id=POOL, subscription_id=SUBSCRIPTION, total=total, price=POWER_BI_PRO, at=PURCHASED_AT
    )


def a_batch(number: int, licenses: int, opened_at: datetime = PURCHASED_AT) -> Batch:
    return Batch(number=number, licenses=licenses, opened_at=opened_at)


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
    batches=(a_batch(1, 0), a_batch(2, 1, A_WEEK_LATER)),
    removable_until=A_WEEK_LATER + CHANGE_WINDOW,
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


def resized_to(total: int, at: datetime) -> Callable[[LicensePool], None]:
    return lambda pool: pool.resize(total, POWER_BI_PRO, at)


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
        "billing_profile_id": None,
        "at": PURCHASED_AT,
    }
    return partial(Subscription.purchase, **usual | otherwise)


A_SUBSCRIPTION = buying()
A_SUBSCRIPTION_FOR_A_YEAR = buying(price=POWER_BI_PRO_FOR_A_YEAR)
