"""Who may buy what: the first event of `domain.subscription`."""

from collections.abc import Callable
from datetime import date, datetime

import pytest

from domain.calendar import Period
from domain.member import Member
from domain.organization import Organization
from domain.refusals import (
    GuestMayNotBuy,
    MemberNotActive,
    OfferNotOnSale,
    SelfServiceDisabled,
    TooFewLicenses,
    TooManyLicenses,
)
from domain.subscription import Subscription
from tests.examples import (
    A_GUEST,
    A_MEMBER,
    A_WEEK_LATER,
    BILLING_PROFILE,
    CHRIS,
    CONTOSO,
    INVOICE,
    OFFER,
    POOL,
    POWER_BI_PRO,
    POWER_BI_PRO_FOR_A_YEAR,
    POWER_BI_PRO_PRODUCT,
    PURCHASED_AT,
    SUBSCRIPTION,
    buying,
)
from tests.scenario import Scenario, event

TERM_END = date(2025, 2, 28)


def contoso_with(policy: str) -> Organization:
    organization = CONTOSO()
    product = POWER_BI_PRO_PRODUCT.model_copy(
        update={"policies": ("Enabled", "OnlyTrialsWithoutPaymentMethod", "Disabled")}
    )
    organization.set_policy(product, policy)  # type: ignore[arg-type]  # one of the three
    return organization


def chris_who(*did: Callable[[Member], None]) -> Member:
    member = A_MEMBER()
    for deed in did:
        deed(member)
    return member


def test_a_purchase_carries_all_that_a_reader_needs() -> None:
    (
        Scenario(Subscription)
        .when_born(buying())
        .then_told(
            event(
                Subscription.SubscriptionPurchased,
                originator_id=SUBSCRIPTION,
                pool_id=POOL,
                product=POWER_BI_PRO_PRODUCT,
                offer_id=OFFER,
                purchaser_id=CHRIS,
                channel="self_service",
                licenses=3,
                price=POWER_BI_PRO,
                anchor=date(2025, 1, 31),
                term_number=0,
                term=Period(start=date(2025, 1, 31), end=TERM_END),
                purchased_at=PURCHASED_AT,
                cancellable_until=A_WEEK_LATER,
                recurring_billing=True,
                billing_profile_id=BILLING_PROFILE,
                document_id=INVOICE,
                replaces_id=None,
            )
        )
        .leaving(life="active", recurring_billing=True, scheduled_total=None, cancellation_scheduled=False)
    )


def test_a_yearly_term_ends_a_year_later() -> None:
    (
        Scenario(Subscription)
        .when_born(buying(price=POWER_BI_PRO_FOR_A_YEAR))
        .then_told(
            event(
                Subscription.SubscriptionPurchased,
                term=Period(start=date(2025, 1, 31), end=date(2026, 1, 31)),
            )
        )
    )


def test_the_anchor_is_the_utc_date_of_the_purchase() -> None:
    new_years_eve_in_redmond = datetime.fromisoformat("2024-12-31T20:00:00-08:00")
    (
        Scenario(Subscription)
        .when_born(buying(at=new_years_eve_in_redmond))
        .then_told(event(Subscription.SubscriptionPurchased, anchor=date(2025, 1, 1)))
    )


@pytest.mark.parametrize("licenses", [1, 300])
def test_from_one_license_to_the_maximum_can_be_bought(licenses: int) -> None:
    (
        Scenario(Subscription)
        .when_born(buying(licenses=licenses))
        .then_told(event(Subscription.SubscriptionPurchased, licenses=licenses))
    )


def test_no_license_cannot_be_bought() -> None:
    Scenario(Subscription).when_born(buying(licenses=0)).then_refused(TooFewLicenses, total=0)


def test_more_than_the_maximum_cannot_be_bought() -> None:
    Scenario(Subscription).when_born(buying(licenses=301)).then_refused(TooManyLicenses, total=301, maximum=300)


def test_a_guest_cannot_buy() -> None:
    Scenario(Subscription).when_born(buying(purchaser=A_GUEST())).then_refused(GuestMayNotBuy)


@pytest.mark.parametrize(("deed", "status"), [(Member.deactivate, "deactivated"), (Member.remove, "removed")])
def test_only_an_active_member_can_buy(deed: Callable[[Member], None], status: str) -> None:
    (
        Scenario(Subscription)
        .when_born(buying(purchaser=chris_who(deed)))
        .then_refused(MemberNotActive, member_id=str(CHRIS), status=status)
    )


@pytest.mark.parametrize("policy", ["Disabled", "OnlyTrialsWithoutPaymentMethod"])
def test_self_service_needs_the_policy_enabled(policy: str) -> None:
    (
        Scenario(Subscription)
        .when_born(buying(organization=contoso_with(policy)))
        .then_refused(SelfServiceDisabled, product_id="CFQ7TTC0H9MP", policy=policy)
    )


def test_self_service_needs_a_product_that_is_sold_so() -> None:
    product = POWER_BI_PRO_PRODUCT.model_copy(update={"self_service": False, "policies": ()})
    Scenario(Subscription).when_born(buying(product=product)).then_refused(OfferNotOnSale, offer_id=str(OFFER))


def test_a_central_purchase_asks_for_neither() -> None:
    product = POWER_BI_PRO_PRODUCT.model_copy(update={"self_service": False})
    (
        Scenario(Subscription)
        .when_born(buying(channel="central", product=product, organization=contoso_with("Disabled")))
        .then_told(event(Subscription.SubscriptionPurchased, channel="central"))
    )


def test_another_currency_than_the_organizations_is_refused() -> None:
    price = POWER_BI_PRO.model_copy(update={"currency": "EUR"})
    Scenario(Subscription).when_born(buying(price=price)).then_refused(OfferNotOnSale, offer_id=str(OFFER))
