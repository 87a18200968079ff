from datetime import date, datetime, timedelta, timezone
from functools import partial
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile
from domain.calendar import CHANGE_WINDOW, Period
from domain.invoice import Invoice
from domain.license_pool import Batch, Charge, LicensePool
from domain.offer import OfferTerms, PriceFacts
from domain.payment import Allocation, Payment, PurchaseIntent
from domain.refusals import (
    BillingProfileRequired,
    BillingProfileRoleNeeded,
    GuestMayNotBuy,
    MemberNotActive,
    NotFound,
    OfferNotOnSale,
    QuoteChanged,
    SelfServiceDisabled,
    TooManyLicenses,
)
from domain.subscription import Subscription
from services.buy_subscription import BuySubscription
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.ledger import offer_id_of
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import NO_TAX, POWER_BI_PRO_PRODUCT, PURCHASED_AT, TODAY, TOMORROW
from tests.scenario import event
from tests.services.contoso import FOR_A_YEAR, MONTHLY, PAID_YEARLY, Clock, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    just_before_the_save,
    refused_at_second_sight,
    saves_of,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
)

POWER_BI_PRO = offer_id_of(MONTHLY)
PRODUCT_ID = POWER_BI_PRO_PRODUCT.product_id
FIRST_MONTH = Period(start=date(2025, 1, 31), end=date(2025, 2, 28))
BILLED = (event(BillingProfile.SubscriptionPutOnProfile), event(BillingProfile.InvoiceNumbered))
CHARGED = (
    event(LicensePool.LicensePoolOpened),
    event(Invoice.InvoiceIssued),
    event(Invoice.CollectionStarted),
    event(Payment.PaymentAuthorized),
)


@pytest.fixture
def contoso(contoso: Contoso) -> Contoso:
    """Melissa and Ben can pay."""
    contoso.can_pay(contoso.melissa)
    contoso.can_pay(contoso.ben)
    return contoso


@pytest.fixture
def another(another: Contoso) -> Contoso:
    another.can_pay(another.melissa)
    return another


def a_purchase(contoso: Contoso, by: Actor | None = None, **content: object) -> BuySubscription:
    return contoso.command(
        BuySubscription, by or contoso.buyer, **{"offer_id": POWER_BI_PRO, "licenses": 100, **content}
    )


def test_a_purchase_tells_of_the_subscription_and_its_pool(contoso: Contoso) -> None:
    buying, profile = a_purchase(contoso), contoso.profile()
    price = PriceFacts(offer_id=POWER_BI_PRO, unit_price_minor=1_400, price_version=1, **MONTHLY.model_dump())
    tells(
        contoso,
        buying,
        event(BillingProfile.SubscriptionPutOnProfile, subscription_id=buying.subscription_id),
        event(BillingProfile.InvoiceNumbered, invoice_id=buying.invoice_id, count=1, settled=()),
        event(
            Subscription.SubscriptionPurchased,
            originator_id=buying.subscription_id,
            pool_id=buying.pool_id,
            product=POWER_BI_PRO_PRODUCT,
            offer_id=POWER_BI_PRO,
            purchaser_id=contoso.melissa,
            channel="self_service",
            licenses=100,
            price=price,
            anchor=date(2025, 1, 31),
            term_number=0,
            term=FIRST_MONTH,
            purchased_at=PURCHASED_AT,
            cancellable_until=PURCHASED_AT + CHANGE_WINDOW,
            recurring_billing=True,
            billing_profile_id=profile.id,
            document_id=buying.invoice_id,
            replaces_id=None,
        ),
        event(
            LicensePool.LicensePoolOpened,
            originator_id=buying.pool_id,
            subscription_id=buying.subscription_id,
            product_id=PRODUCT_ID,
            offer_id=POWER_BI_PRO,
            total=100,
            price=price,
            batch=Batch(number=1, licenses=100, opened_at=PURCHASED_AT),
            removable_until=PURCHASED_AT + CHANGE_WINDOW,
            charge=Charge(invoice_id=buying.invoice_id, line=1, batch=1, cycle=FIRST_MONTH),
            document_id=buying.invoice_id,
        ),
        event(
            Invoice.InvoiceIssued,
            originator_id=buying.invoice_id,
            billing_profile_id=profile.id,
            number=f"{profile.prefix}-000001",
            reason="purchase",
            issued_on=TODAY,
            due_on=TODAY,
            po_number=None,
            net_minor=140_000,
            tax_minor=0,
            total_minor=140_000,
            state="open",
        ),
        event(Invoice.CollectionStarted, payment_id=buying.new_id("payment:0"), amount_minor=140_000),
        event(Payment.PaymentAuthorized, originator_id=buying.new_id("payment:0"), amount_minor=140_000),
    )
    contoso.assigns(buying.subscription_id, contoso.ben)  # assignable at once


def test_it_is_paid_for_first(contoso: Contoso) -> None:
    """The intent is recorded before the provider hears of it, and the hold is taken once the purchase is recorded."""
    buying = a_purchase(contoso)
    payment_id = buying.new_id("payment:0")

    def nothing_is_asked() -> None:
        assert contoso.sandbox.payments(payment_id) == []

    def it_is_held() -> None:
        (payment,) = contoso.sandbox.payments(payment_id)
        assert (payment.state, payment.amount_minor, payment.captured_minor) == ("authorized", 140_000, 0)

    with (
        just_before_the_save(contoso.ledger, nothing_is_asked, step="payment:0:1"),
        just_before_the_save(contoso.ledger, it_is_held),
    ):
        contoso.run(buying)
    intent, recorded, taken = saves_of(contoso, buying)
    price = contoso.subscription(buying.subscription_id).price
    assert intent.events == [
        event(
            Payment.PaymentRequested,
            originator_id=payment_id,
            billing_profile_id=contoso.profile().id,
            payment_method_id=contoso.profile().payment_method_id,
            amount_minor=140_000,
            currency="USD",
            allocation=(Allocation(invoice_id=buying.invoice_id, amount_minor=140_000),),
            on_session=True,
            requested_at=PURCHASED_AT,
            intent=PurchaseIntent(
                subscription_id=buying.subscription_id,
                offer_id=POWER_BI_PRO,
                licenses=100,
                channel="self_service",
                purchaser_id=contoso.melissa,
                price=price,
                period=FIRST_MONTH,
                cycle_days=28,
                tax_rate=NO_TAX,
            ),
        )
    ]
    assert recorded.told[2:4] == ["SubscriptionPurchased", "LicensePoolOpened"]
    assert taken.told == ["PaymentReceived", "PaymentCaptured"]
    (invoice,) = contoso.invoices()
    assert (invoice.status, invoice.paid_minor, invoice.due_minor) == ("paid", 140_000, 0)
    assert contoso.sandbox.captured() == {"USD": 140_000}


def test_without_a_billing_profile_nothing_is_bought(contoso: Contoso) -> None:
    with contoso.refuses(BillingProfileRequired, member_id=str(contoso.david)):
        contoso.run(a_purchase(contoso, contoso.purchaser(contoso.david)))
    with contoso.refuses(BillingProfileRequired, member_id=str(contoso.david)):
        contoso.run(a_purchase(contoso, contoso.admin, channel="central", purchaser_id=contoso.david))


def test_a_member_buys_on_a_profile_of_theirs_or_where_they_may(contoso: Contoso, another: Contoso) -> None:
    further = contoso.opens_profile(contoso.melissa, "tok_mastercard")
    of_ben = contoso.profile(contoso.ben).id
    buying = a_purchase(contoso, billing_profile_id=further)
    contoso.run(buying)
    assert contoso.subscription(buying.subscription_id).billing_profile_id == further
    for unseen in (of_ben, another.profile().id, uuid4()):
        with contoso.refuses(NotFound, what="billing profile", key=str(unseen)):
            contoso.run(a_purchase(contoso, billing_profile_id=unseen))
    ben = contoso.purchaser(contoso.ben)
    grants = {"billing_profile_id": of_ben, "member_id": contoso.melissa}
    contoso.run(contoso.command(GrantProfileRole, ben, role="reader", **grants))
    with contoso.refuses(BillingProfileRoleNeeded, roles=["contributor", "owner"]):
        contoso.run(a_purchase(contoso, billing_profile_id=of_ben))
    contoso.run(contoso.command(GrantProfileRole, ben, role="contributor", **grants))
    contoso.run(a_purchase(contoso, billing_profile_id=of_ben))


def test_the_amount_is_the_one_that_was_expected(contoso: Contoso) -> None:
    with contoso.refuses(QuoteChanged, expected_minor=139_999, actual_minor=140_000, currency="USD"):
        contoso.run(a_purchase(contoso, expected_amount_minor=139_999))
    contoso.run(a_purchase(contoso, expected_amount_minor=140_000))


@pytest.mark.parametrize(("terms", "price"), [(FOR_A_YEAR, 1_400), (PAID_YEARLY, 16_800)])
def test_a_year_ends_a_year_later(contoso: Contoso, terms: OfferTerms, price: int) -> None:
    bought = contoso.subscription(contoso.buys(terms=terms))
    assert bought.term == Period(start=date(2025, 1, 31), end=date(2026, 1, 31))
    assert bought.price.unit_price_minor == price


def test_it_names_its_billing_profile_and_who_asked(contoso: Contoso) -> None:
    correlation, causation = uuid4(), uuid4()
    profile = contoso.opens_profile(contoso.melissa)
    buying = a_purchase(
        contoso, correlation_id=correlation, causation_id=causation, billing_profile_id=profile
    ).model_copy(update={"actor": Actor(id=contoso.melissa, role="purchaser", on_behalf_of=contoso.ben)})
    tells(
        contoso,
        buying,
        *BILLED,
        event(Subscription.SubscriptionPurchased, billing_profile_id=profile),
        *CHARGED,
    )


def test_a_repeat_is_answered_and_not_bought_again(contoso: Contoso) -> None:
    buying = a_purchase(contoso)
    is_done_once(contoso, buying, licenses=101)
    is_done_once(contoso, buying, licenses=301)  # would be refused anyway
    is_done_once(contoso, buying, offer_id=uuid4())
    is_done_once(contoso, buying, actor=contoso.purchaser(contoso.ben))


def test_another_correlation_is_the_same_content(contoso: Contoso) -> None:
    buying = a_purchase(contoso)
    receipt = contoso.run(buying)
    assert contoso.run(buying.model_copy(update={"correlation_id": uuid4(), "causation_id": uuid4()})) == receipt


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    stays_done(
        contoso,
        a_purchase(contoso),
        contoso.running(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled"),
        lambda: contoso.removes(contoso.melissa),
    )


def test_sixteen_at_once_buy_once(contoso: Contoso) -> None:
    has_one_effect(contoso, a_purchase(contoso), events=10)


def test_the_same_id_in_another_organization_is_another_command(contoso: Contoso, another: Contoso) -> None:
    buying = a_purchase(contoso)
    elsewhere = a_purchase(another, command_id=buying.command_id)
    contoso.run(buying)
    another.run(elsewhere)
    assert buying.subscription_id != elsewhere.subscription_id


def test_only_a_purchaser_buys_by_self_service(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"purchaser"}, partial(a_purchase, contoso))
    takes_an_active_member(contoso, another, partial(a_purchase, contoso), role="purchaser")


def test_an_admin_buys_centrally_for_a_member(contoso: Contoso, another: Contoso) -> None:
    def central(by: Actor) -> BuySubscription:
        return a_purchase(contoso, by, channel="central", purchaser_id=contoso.melissa)

    tells(
        contoso,
        central(contoso.admin),
        *BILLED,
        event(Subscription.SubscriptionPurchased, channel="central", purchaser_id=contoso.melissa),
        *CHARGED,
    )
    takes_one_of(contoso, {"admin", "operator"}, central)
    takes_an_active_member(contoso, another, central)


def test_a_central_purchase_is_for_an_active_member_who_is_no_guest(contoso: Contoso, another: Contoso) -> None:
    (guest,) = contoso.generates(1, "guest")
    contoso.deactivates(contoso.david)
    for purchaser, refusal in ((guest, GuestMayNotBuy), (contoso.david, MemberNotActive), (another.ben, NotFound)):
        with contoso.refuses(refusal):
            contoso.run(a_purchase(contoso, contoso.admin, channel="central", purchaser_id=purchaser))


def test_nobody_buys_by_self_service_for_somebody_else(contoso: Contoso) -> None:
    with pytest.raises(ValidationError, match="only a central purchase is for somebody else"):
        a_purchase(contoso, purchaser_id=contoso.ben)


@pytest.mark.parametrize("licenses", [0, -1, 1_000_001])
def test_a_number_out_of_range_is_refused_at_the_edge(contoso: Contoso, licenses: int) -> None:
    with pytest.raises(ValidationError, match="licenses"):
        a_purchase(contoso, licenses=licenses)


def test_the_maximum_of_the_offer(contoso: Contoso) -> None:
    with contoso.refuses(TooManyLicenses, total=301, maximum=300):
        contoso.run(a_purchase(contoso, licenses=301))
    contoso.run(a_purchase(contoso, licenses=300))


def test_an_unknown_offer(contoso: Contoso) -> None:
    unknown = uuid4()
    with contoso.refuses(NotFound, what="offer", key=str(unknown)):
        contoso.run(a_purchase(contoso, offer_id=unknown))


def test_policy_stops_self_service_and_not_central_purchases(contoso: Contoso) -> None:
    contoso.run(contoso.command(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled"))
    with contoso.refuses(SelfServiceDisabled, policy="Disabled"):
        contoso.run(a_purchase(contoso))
    contoso.buys_centrally(contoso.melissa)


def test_a_refusal_is_not_remembered(contoso: Contoso) -> None:
    buying = a_purchase(contoso)
    for policy in ("Disabled", "Enabled"):
        contoso.run(contoso.command(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy=policy))
        if policy == "Disabled":
            with contoso.refuses(SelfServiceDisabled):
                contoso.run(buying)
    assert contoso.run(buying).events == 7


def test_a_policy_turned_off_meanwhile_stops_the_purchase(contoso: Contoso) -> None:
    off = contoso.running(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled")
    with refused_at_second_sight(contoso, off, SelfServiceDisabled):
        contoso.run(a_purchase(contoso))


def test_a_purchaser_who_goes_meanwhile_does_not_buy(contoso: Contoso) -> None:
    with refused_at_second_sight(contoso, partial(contoso.deactivates, contoso.melissa), MemberNotActive):
        contoso.run(a_purchase(contoso))


def test_the_member_for_whom_it_is_goes_meanwhile(contoso: Contoso) -> None:
    buying = a_purchase(contoso, contoso.admin, channel="central", purchaser_id=contoso.ben)
    with refused_at_second_sight(contoso, partial(contoso.removes, contoso.ben), MemberNotActive, status="removed"):
        contoso.run(buying)


def test_another_decision_of_the_organization_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.by, "auditor")):
        contoso.run(a_purchase(contoso))


def test_the_day_is_a_day_in_utc(contoso: Contoso, clock: Clock) -> None:
    clock.now = datetime(2025, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-8)))
    assert contoso.subscription(contoso.buys()).anchor == TOMORROW


def test_what_is_not_sold_by_self_service(contoso: Contoso) -> None:
    offer_id = offer_id_of(contoso.lists(self_service=False))
    with contoso.refuses(OfferNotOnSale, offer_id=str(offer_id)):
        contoso.run(a_purchase(contoso, offer_id=offer_id))
    contoso.run(a_purchase(contoso, contoso.admin, channel="central", purchaser_id=contoso.ben, offer_id=offer_id))


def test_another_currency_than_the_organization_pays_in(contoso: Contoso) -> None:
    offer_id = offer_id_of(contoso.lists(currency="EUR"))
    with contoso.refuses(OfferNotOnSale, why="it is sold in EUR and the organization pays in USD"):
        contoso.run(a_purchase(contoso, offer_id=offer_id))
