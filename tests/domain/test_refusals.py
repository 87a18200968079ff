"""A refusal has a stable code, the numbers and a remedy: `domain.refusals`."""

import json
from datetime import UTC, date, datetime

import pytest

from domain import refusals
from domain.refusals import (
    Busy,
    CancellationWindowPassed,
    CardDataNotAccepted,
    CommandIdReused,
    EffectiveDateTooEarly,
    GuestMayNotBuy,
    LastAdmin,
    LicensesStillAssigned,
    MemberNotActive,
    MemberStillActive,
    NotAllowed,
    NotEnoughLicenses,
    NotFound,
    OfferNotOnSale,
    OrganizationExists,
    PlanLongerThanTerm,
    PolicyNotOffered,
    PriceVersionExists,
    RecurringBillingOff,
    Refusal,
    RemovalWindowPassed,
    SaveTooLarge,
    SelfServiceDisabled,
    StaleVersion,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
    TooManyUsersAtOnce,
    UnknownCountry,
    UnknownCurrency,
    UnstorableText,
    UserNotInOrganization,
)
from tests.examples import A_STRANGER, CHRIS, DAVID, OFFER, SUBSCRIPTION, TODAY, an_id

# Each with its code and its remedy, word for word: both are what callers rely on.
REFUSALS: list[tuple[Refusal, str, str]] = [
    (NotFound(what="product", key="CFQ"), "not_found", "check it with the matching list command"),
    (NotAllowed(action="buy", remedy="ask an admin"), "not_allowed", "ask an admin"),
    (StaleVersion(expected=100, actual=105), "stale_version", "look again and repeat with the new total"),
    (CommandIdReused(command_id=an_id(1)), "command_id_reused", "take a new id for new content"),
    (Busy(attempts=100), "busy", "repeat the command"),
    (
        SaveTooLarge(events=6000, largest_bytes=300, events_limit=5000, bytes_limit=262_144),
        "save_too_large",
        "split the command",
    ),
    (UnstorableText(purpose="feedback"), "unstorable_text", "remove it"),
    (
        CardDataNotAccepted(field="/security_code"),
        "card_data_not_accepted",
        "give it to the payment provider and send the provider's token",
    ),
    (OrganizationExists(handle="contoso"), "organization_exists", "choose another handle"),
    (MemberNotActive(member_id=CHRIS, status="deactivated"), "member_not_active", "reactivate the member first"),
    (MemberNotActive(member_id=CHRIS, status="removed"), "member_not_active", "import the member again first"),
    (MemberStillActive(member_id=CHRIS), "member_still_active", "remove the member first"),
    (GuestMayNotBuy(member_id=CHRIS), "guest_may_not_buy", "ask a member to"),
    (LastAdmin(member_id=CHRIS), "last_admin", "make another member admin first"),
    (SelfServiceDisabled(product_id="CFQ", policy="Disabled"), "self_service_disabled", "ask an admin to enable it"),
    (OfferNotOnSale(offer_id=OFFER, why="it was withdrawn"), "offer_not_on_sale", "choose another offer"),
    (PlanLongerThanTerm(plan="annual", term="P1M"), "plan_longer_than_term", "choose a longer term or a shorter plan"),
    (
        EffectiveDateTooEarly(effective_on=TODAY, today=TODAY),
        "effective_date_too_early",
        "prices and withdrawals change from tomorrow on",
    ),
    (PriceVersionExists(effective_on=TODAY), "price_version_exists", "withdraw it first"),
    (UnknownCurrency(currency="XXL"), "unknown_currency", "give a code such as USD"),
    (UnknownCountry(country="XX"), "unknown_country", "give a code such as US"),
    (
        PolicyNotOffered(product_id="CFQ", policy="Disabled", allowed=["Enabled"]),
        "policy_not_offered",
        "choose one of Enabled",
    ),
    (
        PolicyNotOffered(product_id="CFQ", policy="Disabled", allowed=[]),
        "policy_not_offered",
        "it is not sold by self-service and needs none",
    ),
    (TooManyLicenses(total=301, maximum=300), "too_many_licenses", "take at most 300"),
    (TooFewLicenses(total=0), "too_few_licenses", "take 1 or more, or cancel the subscription"),
    (LicensesStillAssigned(total=1, assigned=3), "licenses_still_assigned", "unassign 2 before resizing to 1"),
    (NotEnoughLicenses(wanted=5, free=2), "not_enough_licenses", "add 3 or unassign some"),
    (TooManyUsersAtOnce(users=21, maximum=20), "too_many_users_at_once", "send them in parts"),
    (
        UserNotInOrganization(reasons={str(A_STRANGER): "unknown", str(DAVID): "deactivated"}),
        "user_not_in_organization",
        f"{A_STRANGER} (unknown), {DAVID} (deactivated); leave them out",
    ),
    (
        RemovalWindowPassed(asked=3, removable_now=2, windows=[(2, datetime(2025, 2, 7, 9, 30, tzinfo=UTC))]),
        "removal_window_passed",
        "2 can be removed now (2 until 2025-02-07 09:30 UTC); schedule the lower total for renewal instead",
    ),
    (
        RemovalWindowPassed(asked=3, removable_now=0, windows=[]),
        "removal_window_passed",
        "0 can be removed now (none); schedule the lower total for renewal instead",
    ),
    (
        CancellationWindowPassed(
            until=datetime(2025, 2, 7, 9, 30, tzinfo=UTC), removable_now=2, ends_on=date(2025, 2, 27)
        ),
        "cancellation_window_passed",
        "until 2025-02-07 09:30 UTC; remove the 2 licenses added lately, or cancel at the term's end, 2025-02-27",
    ),
    (
        CancellationWindowPassed(
            until=datetime(2025, 2, 7, 9, 30, tzinfo=UTC), removable_now=0, ends_on=date(2025, 2, 27)
        ),
        "cancellation_window_passed",
        "until 2025-02-07 09:30 UTC; cancel at the term's end, 2025-02-27 (when: term_end)",
    ),
    (
        SubscriptionNotActive(subscription_id=SUBSCRIPTION, state="in_grace"),
        "subscription_not_active",
        "pay what is past due first",
    ),
    (
        SubscriptionNotActive(subscription_id=SUBSCRIPTION, state="disabled"),
        "subscription_not_active",
        "buy a new one instead",
    ),
    (RecurringBillingOff(subscription_id=SUBSCRIPTION), "recurring_billing_off", "turn it on first"),
]
IDS = [f"{code}-{number}" for number, (_, code, _) in enumerate(REFUSALS)]

REQUIRED = {  # of the business rules' list, those that buying, resizing, assigning and cancelling can meet
    "licenses_still_assigned",
    "not_enough_licenses",
    "too_many_users_at_once",
    "user_not_in_organization",
    "removal_window_passed",
    "cancellation_window_passed",
    "subscription_not_active",
    "self_service_disabled",
    "offer_not_on_sale",
    "stale_version",
    "command_id_reused",
    "not_found",
}


@pytest.mark.parametrize(("refusal", "code", "remedy"), REFUSALS, ids=IDS)
def test_a_refusal_says_its_code_and_the_remedy_in_one_line(refusal: Refusal, code: str, remedy: str) -> None:
    assert refusal.code == code
    assert remedy in str(refusal)
    assert "\n" not in str(refusal)


@pytest.mark.parametrize("refusal", [refusal for refusal, _, _ in REFUSALS], ids=IDS)
def test_a_refusal_carries_its_numbers_for_machines_and_for_people(refusal: Refusal) -> None:
    assert refusal.facts
    assert json.loads(json.dumps(dict(refusal.facts))) == refusal.facts
    numbers = [fact for fact in refusal.facts.values() if isinstance(fact, int) and fact]
    assert all(str(number) in str(refusal) for number in numbers)


def test_every_refusal_is_listed_here_and_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)]
    kinds.remove(Refusal)
    assert {type(refusal) for refusal, _, _ in REFUSALS} == set(kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_the_codes_that_callers_were_promised_are_there() -> None:
    assert {code for _, code, _ in REFUSALS} >= REQUIRED
