"""What auditors and operators read of history, as it is typed."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket


def test_the_history_of_a_subscription_has_its_licenses_and_no_names(admin: Console, ben: Console, bought: str) -> None:
    ben.done("assign", bought, "david@contoso.com")
    admin.done("role", "grant", "cynthia@contoso.com", "auditor")
    said = admin.as_("cynthia@contoso.com")("audit", "history", bought)
    assert [(one["event"], one["command"]) for one in said.data["history"]] == [
        ("Subscription.SubscriptionPurchased", "buy_subscription"),
        ("LicensePool.LicensePoolOpened", "buy_subscription"),
        ("LicensePool.LicenseAssigned", "assign_licenses"),
    ]
    assert "contoso.com" not in said.out
    assert ben("audit", "history", bought).refused == "not_allowed"


def test_a_thing_is_shown_as_it_was_known_then(admin: Console, ben: Console) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    answer = ben.done("buy", "Power BI Pro", "-n", "100")
    pool, subscription = answer["pool_id"], answer["subscription_id"]
    ben.done("resize", subscription, "105")
    auditor = admin.as_("operator")
    assert auditor.done("audit", "show", pool, "--at", str(answer["position"]))["state"]["total"] == 100
    now = datetime.now(UTC) + timedelta(seconds=1)
    for at in (now.isoformat(), now.strftime("%Y-%m-%dT%H:%M:%SZ"), date.today().isoformat()):  # noqa: DTZ011
        assert auditor.done("audit", "show", pool, "--at", at)["state"]["total"] == 105
    assert auditor("audit", "show", pool, "--at", before.isoformat()).refused == "not_found"
    assert auditor("audit", "history", "00000000-0000-4000-8000-000000000000").refused == "not_found"


def test_everything_is_verified_and_a_change_is_named_by_its_key(operator: Console, ben: Console, bought: str) -> None:
    assert ben.done("products")["subscriptions"]  # so that the purchase stands in the read tables
    verified = operator.done("audit", "verify", "--no-topic")
    assert (verified["verified"], verified["differences"], verified["topic"]) == (True, [], None)
    assert verified["events"] > 581
    assert operator.settings.database_url
    with psycopg.connect(operator.settings.database_url.get_secret_value(), autocommit=True) as owner:
        live = owner.execute(
            "SELECT tables[1] FROM projections.builds WHERE projection = 'purchases' AND state = 'live'"
        ).fetchone()
        assert live
        change = SQL("UPDATE {} SET licenses_total = licenses_total + %s WHERE subscription_id = %s").format(
            Identifier("projections", live[0])
        )
        assert owner.execute(change, (1, bought)).rowcount == 1
        try:
            said = operator("audit", "verify", "--no-topic")
        finally:
            owner.execute(change, (-1, bought))
    assert said.code == 1
    (difference,) = said.data["differences"]
    assert difference["check"] == "read tables"
    assert bought in difference["key"]
    assert difference["what"] == "licenses_total is 101 and history gives 100"


@pytest.mark.usefixtures("bought")
def test_status_says_where_everything_stands(operator: Console, admin: Console) -> None:
    status = operator.done("status")
    last = status["ledger"]["last"]
    assert status["ledger"]["settled"] >= last > 0
    assert (status["postgres"], status["broker"]) == ("external", None)
    assert "oldest_writer" in status
    admin.done("purchases", "list")
    models = {one["projection"]: one for one in operator.done("status")["read_models"]}
    assert models["purchases"]["lag"] == 0
    assert "last event" in operator.said("status").out


def test_what_falls_due_is_listed_and_there_is_nothing_to_complete(operator: Console, bought: str) -> None:
    year = datetime.now(UTC).year + 2
    due = operator.done("due", "--until", f"{year}-01-01")["due"]
    assert ("subscription", bought) in {(item["kind"], item["subject_id"]) for item in due}
    assert operator.done("due", "--complete")["completed"] == []


def test_migrating_again_does_nothing(operator: Console) -> None:
    assert operator.done("migrate") == {"applied": []}
    assert operator.said("migrate").out.strip() == "nothing to migrate"


def test_the_catalogs_history_is_the_houses(operator: Console, admin: Console) -> None:
    offer = operator.done("catalog", "list", "--on-sale")["products"][0]["offers"][0]["offer_id"]
    of_catalog = Console(operator.settings, "catalog", "operator")
    (first, *_) = of_catalog.done("audit", "history", offer)["history"]
    assert first["event"] == "Offer.OfferPublished"
    said = admin.as_("operator")("audit", "history", offer)
    assert said.refused == "not_found"
    assert "history" in one_line_of(said)
