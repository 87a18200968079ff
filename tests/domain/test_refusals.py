"""A refusal has a stable code, the numbers and a remedy: `domain.refusals`."""

import json
from datetime import UTC, date, datetime

import pytest

from domain import refusals
from domain.personal import KeptFact
from domain.refusals import (
    AccessPeriodUnusable,
    BillingProfileRequired,
    BillingProfileRoleNeeded,
    Busy,
    CancellationWindowPassed,
    CardDataNotAccepted,
    CardNotAccepted,
    CardOfAnotherCountry,
    ChangedMeanwhile,
    CommandIdReused,
    EffectiveDateTooEarly,
    GuestMayNotBuy,
    InvoicePastDue,
    LastAdmin,
    LicensesStillAssigned,
    MemberNotActive,
    MemberStillActive,
    NoSimulation,
    NotAllowed,
    NotEnoughLicenses,
    NotFound,
    NothingDue,
    NothingToReactivate,
    NotYetThen,
    OfferNotOnSale,
    OrganizationExists,
    OtherProduct,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentMethodInUse,
    PaymentOutcomeUnknown,
    PaymentProviderUnavailable,
    PersonalFactsKept,
    PlanLongerThanTerm,
    PolicyNotOffered,
    PriceVersionExists,
    PurchaseOrderNumberUnusable,
    QuoteChanged,
    RecurringBillingOff,
    Refusal,
    RemovalWindowPassed,
    SaveTooLarge,
    SelfServiceDisabled,
    StaleVersion,
    StillCharged,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
    TooManyUsersAtOnce,
    UnknownCountry,
    UnknownCurrency,
    UnstorableText,
    UserNotInOrganization,
)
from tests.examples import (
    A_STRANGER,
    BILLING_PROFILE,
    CHRIS,
    DAVID,
    INVOICE,
    OFFER,
    PAYMENT,
    PAYMENT_METHOD,
    PURCHASED_AT,
    SUBSCRIPTION,
    THE_SAME_DAY,
    TODAY,
    an_id,
)

# Each with its code and its remedy, word for word: both are what callers rely on.
REFUSALS: list[tuple[Refusal, str, str]] = [
    (NotFound(what="product", key="CFQ"), "not_found", "check it with the matching list command"),
    (NotAllowed(action="buy", remedy="ask an admin"), "not_allowed", "ask an admin"),
    (StaleVersion(expected=100, actual=105), "stale_version", "look again and repeat with the new total"),
    (ChangedMeanwhile(seen=3, actual=4), "changed_meanwhile", "look again"),
    (CommandIdReused(command_id=an_id(1)), "command_id_reused", "take a new id for new content"),
    (Busy(attempts=100), "busy", "repeat the command"),
    (
        PersonalFactsKept(
            member_id=CHRIS,
            kept=[KeptFact(fact_id=an_id(21), purpose="tax_id", keep_until=date(2035, 12, 31), number="A-000001")],
            erasable=4,
        ),
        "personal_facts_kept",
        "erase the 4 that may go",
    ),
    (
        StillCharged(payment_method_id=PAYMENT_METHOD, billing_profile_id=BILLING_PROFILE),
        "payment_method_still_charged",
        "or replace the card",
    ),
    (
        AccessPeriodUnusable(ends_at=PURCHASED_AT, now=THE_SAME_DAY, most_days=366),
        "access_period_unusable",
        "at most 366 days away",
    ),
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
        SubscriptionNotActive(subscription_id=SUBSCRIPTION, state="expired"),
        "subscription_not_active",
        "is expired; reactivate it or buy a new one",
    ),
    (
        SubscriptionNotActive(subscription_id=SUBSCRIPTION, state="disabled"),
        "subscription_not_active",
        "is disabled; reactivate it or buy a new one",
    ),
    (
        SubscriptionNotActive(subscription_id=SUBSCRIPTION, state="deleted"),
        "subscription_not_active",
        "is deleted; buy a new one instead",
    ),
    (RecurringBillingOff(subscription_id=SUBSCRIPTION), "recurring_billing_off", "turn it on first"),
    # Money.
    (
        QuoteChanged(expected_minor=140_000, actual_minor=150_000, currency="USD"),
        "quote_changed",
        "look at the quote again and repeat with its amount",
    ),
    (
        BillingProfileRequired(member_id=CHRIS),
        "billing_profile_required",
        "add a payment method and open one, or name another's on which the member may buy",
    ),
    (
        BillingProfileRoleNeeded(billing_profile_id=BILLING_PROFILE, roles=["contributor", "owner"]),
        "billing_profile_role_needed",
        "this takes the role contributor or owner; ask its owner",
    ),
    (PurchaseOrderNumberUnusable(po_number=" "), "po_number_unusable", "give one, or remove it"),
    (CardOfAnotherCountry(country="KR", needed="US"), "card_of_another_country", "use a card issued in US"),
    (CardNotAccepted(why="expired"), "card_not_accepted", "expired; check the details or use another card"),
    (
        PaymentMethodInUse(payment_method_id=PAYMENT_METHOD, billing_profile_ids=[BILLING_PROFILE]),
        "payment_method_in_use",
        f"by billing profile {BILLING_PROFILE}; replace it there first",
    ),
    (
        PaymentDeclined(payment_id=PAYMENT, why="insufficient_funds"),
        "payment_declined",
        "(insufficient_funds); edit or replace the card, then send the command again",
    ),
    (
        PaymentActionRequired(payment_id=PAYMENT, url="https://pay.example/1"),
        "payment_action_required",
        "at https://pay.example/1; confirm it, then send the same command with the same id",
    ),
    (PaymentActionRequired(payment_id=PAYMENT, url=None), "payment_action_required", "at its own page; confirm it"),
    (
        PaymentOutcomeUnknown(payment_id=PAYMENT),
        "payment_outcome_unknown",
        "send the same command with the same id again, or wait for the life-cycle run",
    ),
    (
        PaymentProviderUnavailable(asked_to="edit"),
        "payment_provider_unavailable",
        "send the same command with the same id again",
    ),
    (
        InvoicePastDue(invoice_ids=[INVOICE]),
        "invoice_past_due",
        f"invoice {INVOICE} is past due; pay it, or edit or replace the card, first",
    ),
    (
        NothingDue(number="W57DWE-Z2KKH7-000001", due_minor=20),
        "nothing_due",
        "a small amount is collected with the next charge",
    ),
    # The life cycle.
    (
        NoSimulation(handle="contoso"),
        "no_simulation",
        "leave the time out, or create an organization with --simulation",
    ),
    (
        NotYetThen(as_of=datetime(2025, 3, 1, tzinfo=UTC), now=datetime(2025, 2, 1, tzinfo=UTC)),
        "as_of_in_the_future",
        "only a simulated organization on the sandbox gateway lives ahead of the clock",
    ),
    (
        NothingToReactivate(subscription_id=SUBSCRIPTION, state="active", reactivated_as=None),
        "nothing_to_reactivate",
        "it is active; only an expired or disabled one can, once",
    ),
    (
        NothingToReactivate(subscription_id=SUBSCRIPTION, state="disabled", reactivated_as=an_id(7)),
        "nothing_to_reactivate",
        f"it was reactivated as {an_id(7)}; only an expired or disabled one can, once",
    ),
    (OtherProduct(product_id="CFQ1", needed="CFQ2"), "other_product", "choose one of the same product"),
]
IDS = [f"{code}-{number}" for number, (_, code, _) in enumerate(REFUSALS)]

REQUIRED = {  # of the business rules' list: all
    "licenses_still_assigned",
    "not_enough_licenses",
    "too_many_users_at_once",
    "user_not_in_organization",
    "removal_window_passed",
    "cancellation_window_passed",
    "subscription_not_active",
    "self_service_disabled",
    "offer_not_on_sale",
    "invoice_past_due",
    "payment_declined",
    "payment_action_required",
    "payment_method_in_use",
    "quote_changed",
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
