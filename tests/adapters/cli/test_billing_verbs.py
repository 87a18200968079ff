"""Cards, billing profiles and invoices as they are typed."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.adapters.cli.conftest import Console, can_pay, contoso, one_line_of
from tests.adapters.cli.test_failures import environment

pytestmark = pytest.mark.enable_socket

TODAY = datetime.now(UTC).date()
CONTOSO_LTD = ("--name", "Contoso Ltd", "--address", "1 Generated Street\nSample City", "--tax-id", "XX123")


def billing(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    """The events about money and who is billed."""
    names = [event["event"].split(".") for event in answer["events"]]
    return [name for aggregate, name in names if aggregate in {"PaymentMethod", "BillingProfile", "Payment", "Invoice"}]


def test_a_card_is_added_by_its_token_and_listed_for_its_owner_only(admin: Console, ben: Console) -> None:
    said = ben.said("payment-method", "add", "tok_mastercard", "--holder", "Ben Andrews", "--address", "Sample City")
    assert "Mastercard ending in 4444, until 12/" in said.out
    cards = ben.done("payment-method", "list")["payment_methods"]
    assert sorted(one["last4"] for one in cards) == ["4242", "4444"]
    assert admin.done("payment-method", "list")["payment_methods"] == []
    assert "Mastercard ending in 4444" in ben.said("payment-method", "list").out


def test_a_card_is_edited_by_the_start_of_its_id(ben: Console) -> None:
    (card,) = ben.done("payment-method", "list")["payment_methods"]
    start = card["payment_method_id"][:8]
    edited = ben.done("payment-method", "edit", start, "--expiry", "1/2040", "--security-code-token", "cvctok_ok:1")
    assert edited["events"][0]["facts"]["changed"] == ["expiry", "security_code"]
    assert edited["past_due"] == []
    (card,) = ben.done("payment-method", "list")["payment_methods"]
    assert (card["expiry_month"], card["expiry_year"]) == (1, 2040)
    assert ben("payment-method", "edit", start, "--security-code-token", "cvctok_wrong").refused == "card_not_accepted"


def test_a_card_that_is_charged_is_replaced_before_it_is_removed(ben: Console) -> None:
    (old,) = ben.done("payment-method", "list")["payment_methods"]
    assert ben("payment-method", "remove", old["payment_method_id"]).refused == "payment_method_in_use"
    new = ben.done("payment-method", "add", "tok_visa:another")["payment_method_id"]
    replaced = ben.done("billing-profile", "replace-card", new[:8])
    assert "PaymentMethodReplaced" in billing(replaced)
    assert billing(ben.done("payment-method", "remove", old["payment_method_id"])) == ["PaymentMethodRemoved"]
    assert len(ben.done("payment-method", "list")["payment_methods"]) == 1


def test_what_is_typed_about_cards_and_payers_shows_in_no_list_of_members(admin: Console, ben: Console) -> None:
    ben.done("payment-method", "add", "tok_visa:second", "--holder", "Secret Holder", "--address", "Secret Street")
    ben.done("billing-profile", "bill-to", "--name", "Secret Payer", "--tax-id", "Secret Number")
    assert "Secret" not in admin("member", "list").out
    assert "Secret" not in admin("purchases", "list").out


def test_a_profile_says_who_is_billed_by_which_card(ben: Console) -> None:
    ben.done("billing-profile", "bill-to", *CONTOSO_LTD)
    ben.done("billing-profile", "po-number", "PO-17")
    shown = ben.done("billing-profile", "show")
    assert shown["bill_to"] == ["Contoso Ltd", "1 Generated Street", "Sample City"]
    assert (shown["tax_id"], shown["po_number"], shown["card"]["last4"]) == ("XX123", "PO-17", "4242")
    assert (shown["balance_minor"], shown["balance"]) == (0, "0.00")
    assert "Visa ending in 4242" in ben.said("billing-profile", "show", shown["prefix"].lower()).out
    ben.done("billing-profile", "po-number", "--none")
    assert ben.done("billing-profile", "show", shown["prefix"][:6])["po_number"] is None


def test_others_see_a_profile_by_their_role_on_it(admin: Console, ben: Console) -> None:
    david = admin.as_("david@contoso.com")
    mine = ben.done("billing-profile", "list")["billing_profiles"][0]
    assert david.done("billing-profile", "list")["billing_profiles"] == []
    assert david("billing-profile", "show", mine["billing_profile_id"]).refused == "not_found"
    assert billing(ben.done("billing-profile", "grant", "david@contoso.com", "contributor")) == ["ProfileRoleGranted"]
    assert [one["prefix"] for one in david.done("billing-profile", "list")["billing_profiles"]] == [mine["prefix"]]
    bought = david.done("buy", "Power BI Pro", "-n", "1", "--profile", mine["prefix"])
    assert bought["invoices"][0]["number"] == f"{mine['prefix']}-000001"
    assert ben.done("billing-profile", "revoke", "david@contoso.com")["prefix"] == mine["prefix"]
    assert david("buy", "Power BI Pro", "-n", "1", "--profile", mine["billing_profile_id"]).refused != ""
    (seen,) = admin.done("billing-profile", "list")["billing_profiles"]
    assert seen["owner"] == "ben@contoso.com"


def test_a_purchase_says_its_invoice_and_the_card_that_paid(ben: Console) -> None:
    answer = ben.done("buy", "Power BI Pro", "-n", "100", "--expected-amount", "1,400.00")
    (invoice,), (charge,) = answer["invoices"], answer["charges"]
    assert (invoice["total_minor"], invoice["total"]) == (140_000, "1400.00")
    assert (charge["amount_minor"], charge["card"]) == (140_000, "Visa ending in 4242")
    said = ben.said("resize", answer["subscription_id"], "103")
    assert "charged 42.00 USD to Visa ending in 4242" in said.out
    again = ben.done("resize", answer["subscription_id"], "100", "--expected-amount", "-42.00")
    assert (again["refunded_minor"], again["refunded"], again["still_due"]) == (4_200, "42.00", "0.00")


def test_another_amount_than_expected_is_refused(ben: Console, bought: str) -> None:
    refused = ben("buy", "Power BI Pro", "-n", "1", "--expected-amount", "13.99")
    assert refused.refused == "quote_changed"
    assert refused.data["error"]["facts"]["actual_minor"] == 1_400
    assert ben("resize", bought, "101", "--expected-amount", "13.99").refused == "quote_changed"


def test_a_declined_card_buys_nothing(admin: Console) -> None:
    david = admin.as_("david@contoso.com")
    assert david("buy", "Power BI Pro", "-n", "1").refused == "billing_profile_required"
    can_pay(david, "tok_declined_insufficient_funds")
    said = david("buy", "Power BI Pro", "-n", "1")
    assert said.refused == "payment_declined"
    assert "insufficient_funds" in one_line_of(said)
    assert david.done("products")["subscriptions"] == []


def test_cancelling_says_what_goes_back_to_which_card(ben: Console, bought: str) -> None:
    said = ben.said("cancel", bought, "--when", "now", "--reason", "project_ended")
    assert "1,400.00 USD go back to Visa ending in 4242" in said.out
    assert "credit note" in said.out


def test_a_cancellation_at_the_end_of_a_yearly_term_says_what_is_owed(ben: Console) -> None:
    yearly = ben.done("buy", "Visio Plan 2", "-n", "1", "--plan", "monthly", "--term", "P1Y")["subscription_id"]
    said = ben.said("cancel", yearly, "--when", "term_end", "--reason", "other")
    assert "still owed for its term: 165.00 USD before tax" in said.out


def test_a_quote_is_what_the_command_comes_to(ben: Console, bought: str) -> None:
    before = ben.plain("status", "--json").data["ledger"]["last"]
    more = ben.done("quote", bought, "--total", "105")
    assert (more["what"], more["total_minor"], more["charge_minor"]) == ("increase", 7_000, 7_000)
    less = ben.done("quote", bought, "--cancel", "now")
    assert (less["what"], less["refund_minor"], less["refund"]) == ("cancellation", 140_000, "1400.00")
    assert ben.done("quote", bought, "--cancel", "term_end")["still_owed_minor"] == 0
    renewal = ben.done("quote", bought, "--renewal")
    assert (renewal["what"], renewal["total"]) == ("renewal", "1400.00")
    purchase = ben.done("quote", "Power BI Pro", "--licenses", "2")["purchase"]
    assert (purchase["what"], purchase["total_minor"]) == ("purchase", 2_800)
    said = ben.said("quote", bought[:8], "--total", "105").out
    assert "5 licenses of Power BI Pro" in said
    assert "charged to the card: 70.00 USD" in said
    assert ben("quote", bought, "--reactivate").refused == "nothing_to_reactivate"
    assert ben.plain("status", "--json").data["ledger"]["last"] == before


def test_a_cancelled_subscription_is_reactivated_as_a_new_one(ben: Console, bought: str) -> None:
    ben.done("assign", bought, "david@contoso.com")
    ben.done("cancel", bought, "--when", "now", "--reason", "other")
    assert ben.done("quote", bought, "--reactivate", "-n", "80")["total_minor"] == 112_000
    again = ben.done("reactivate", bought, "-n", "80", "--expected-amount", "1120.00")
    assert again["subscription_id"] != bought
    (row,) = [row for row in ben.done("products")["subscriptions"] if row["subscription_id"] != bought]
    assert (row["licenses_total"], row["licenses_assigned"]) == (80, 1)


def test_an_admin_takes_over_what_a_member_bought(admin: Console, ben: Console, bought: str) -> None:
    can_pay(admin)
    ben.done("assign", bought, "david@contoso.com")
    central = admin.done("buy", "Power BI Pro", "-n", "2", "--channel", "central", "--for", "chris@contoso.com")
    assert ben("take-over", "cancel", bought, "--reason", "other").refused == "not_allowed"
    moved = admin.done("take-over", "move", bought[:8], central["subscription_id"][:8])
    assert moved["refunded"] == "1400.00"
    second = ben.done("buy", "Power BI Pro", "-n", "1")["subscription_id"]
    adopted = admin.done("take-over", "adopt", second, "--reason", "consolidation")
    assert adopted["events"][0]["event"] == "Subscription.SubscriptionAdopted"
    third = ben.done("buy", "Power BI Pro", "-n", "1")["subscription_id"]
    assert "is cancelled" in admin.said("take-over", "cancel", third, "--reason", "not_used_enough").out


def test_invoices_are_listed_by_date_profile_and_state(admin: Console, ben: Console, bought: str) -> None:
    del bought
    (row,) = ben.done("invoice", "list")["invoices"]
    assert (row["total"], row["due"], row["state"]) == ("1400.00", "0.00", "paid")
    today, tomorrow = TODAY.isoformat(), (TODAY + timedelta(days=1)).isoformat()
    for words, count in (
        (("--past", "6m"), 1),
        (("--from", today, "--to", today), 1),
        (("--from", tomorrow), 0),
        (("--to", (TODAY - timedelta(days=1)).isoformat()), 0),
        (("--state", "past_due"), 0),
        (("--profile", row["number"][:13]), 1),
        (("--profile", row["billing_profile_id"]), 1),
        (("--profile", str(uuid4())), 0),
    ):
        assert len(ben.done("invoice", "list", *words)["invoices"]) == count, words
    assert len(admin.done("invoice", "list")["invoices"]) == 1
    assert admin.as_("david@contoso.com").done("invoice", "list")["invoices"] == []
    assert "1,400.00" in ben.said("invoice", "list").out


def test_an_invoice_is_shown_by_its_number_to_who_may_see_it(admin: Console, ben: Console, bought: str) -> None:
    ben.done("resize", bought, "101")
    ben.done("resize", bought, "100")
    number = ben.done("invoice", "list")["invoices"][0]["number"]
    shown = ben.done("invoice", "show", number.lower())
    assert [one["amount"] for one in shown["lines"]] == ["14.00"]
    assert (shown["credited"], shown["paid"], shown["due"]) == ("14.00", "0.00", "0.00")
    note = shown["credit_notes"][0]["number"]
    assert ben.done("invoice", "show", note) == ben.done("invoice", "show", shown["invoice_id"]) == shown
    text = ben.said("invoice", "show", number).out
    assert all(words in text for words in ("Power BI Pro, added licenses", f"Credit note {note}", "refund to Visa"))
    assert admin.done("invoice", "show", number)["number"] == number
    stranger = admin.as_("david@contoso.com")("invoice", "show", number)
    assert stranger.refused == "not_found"
    assert shown["invoice_id"] not in stranger.out + stranger.err


def test_an_invoice_is_explained_by_events_rule_and_arithmetic(admin: Console, ben: Console, bought: str) -> None:
    ben.done("resize", bought, "105")
    ben.done("cancel", bought, "--when", "now", "--reason", "other")
    newest, first = (one["number"] for one in ben.done("invoice", "list")["invoices"])
    explained = ben.done("invoice", "explain", newest)
    (line,), (note,) = explained["lines"], explained["credit_notes"]
    assert (line["arithmetic"]["text"], line["rule"], line["amount"]) == (
        "5 x 1400 = 7000",
        "daily-half-up.v1",
        "70.00",
    )
    assert [cause["event"] for cause in line["causes"]] == ["LicensePool.LicensesResized"]
    assert note["lines"][0]["arithmetic"]["text"] == "5 x 1400 = 7000"
    assert (explained["due"], explained["contradictions"]) == ("0.00", [])
    text = ben.said("invoice", "explain", first).out
    assert all(words in text for words in ("100 x 1400 = 140000", "daily-half-up.v1", "that day included", "refund"))
    assert admin.as_("david@contoso.com")("invoice", "explain", first).refused == "not_found"


def test_a_pdf_is_written_once_unless_forced(ben: Console, bought: str, tmp_path: Path) -> None:
    del bought
    number = ben.done("invoice", "list")["invoices"][0]["number"]
    file = tmp_path / "invoice.pdf"
    written = ben.done("invoice", "pdf", number, "--output", str(file))
    assert file.read_bytes().startswith(b"%PDF-")
    assert written["bytes"] == file.stat().st_size
    file.write_bytes(b"mine")
    said = ben.said("invoice", "pdf", number, "--output", str(file))
    assert said.code == 2
    assert "is there already" in one_line_of(said)
    assert file.read_bytes() == b"mine"
    ben.done("invoice", "pdf", number, "--output", str(file), "--force")
    assert file.read_bytes().startswith(b"%PDF-")
    assert list(tmp_path.iterdir()) == [file]
    missing = ben.said("invoice", "pdf", number, "--output", str(tmp_path / "nowhere" / "invoice.pdf"))
    assert missing.code == 1
    assert "nowhere" in one_line_of(missing)


def test_a_pdf_goes_to_standard_output(ben: Console, bought: str) -> None:
    del bought
    number = ben.done("invoice", "list")["invoices"][0]["number"]
    words = ["invoice", "pdf", number, "--output", "-", "--org", str(ben.handle), "--as", "ben@contoso.com"]
    command = [sys.executable, "-m", "adapters.cli.app", *words]
    done = subprocess.run(command, env=dict(environment(ben.settings)), capture_output=True, check=True, cwd="/")
    assert done.stdout.startswith(b"%PDF-")
    assert done.stdout.rstrip().endswith(b"%%EOF")
    assert ben.plain(*words, "--json").code == 2


def test_nothing_is_due_on_a_paid_invoice(ben: Console, bought: str) -> None:
    del bought
    number = ben.done("invoice", "list")["invoices"][0]["number"]
    assert ben("invoice", "pay", number).refused == "nothing_due"


def test_amounts_have_the_decimals_of_the_currency(operator: Console) -> None:
    yen = contoso(operator, currency="JPY", country="JP").as_("ben@contoso.com")
    can_pay(yen, "tok_visa_jp")
    said = yen("billing-profile", "show")
    assert (said.data["balance_minor"], said.data["balance"], said.data["currency"]) == (0, "0", "JPY")
    said = yen.said("buy", "Power BI Pro", "-n", "1", "--expected-amount", "100.50")
    assert said.code == 2
    assert "more decimals than JPY" in one_line_of(said)


def test_what_the_provider_settled_is_what_is_recorded(ben: Console, bought: str) -> None:
    ben.done("cancel", bought, "--when", "now", "--reason", "other")
    operator = ben.as_("operator")
    days = ("--from", TODAY.isoformat(), "--to", (TODAY + timedelta(days=1)).isoformat())
    found = operator.done("invoice", "reconcile", *days)
    assert (found["settled"], found["recorded"], found["differences"]) == (2, 2, [])
    everything = operator.plain("invoice", "reconcile", *days, "--json")
    assert everything.data["settled"] >= 2
    assert "no difference" in operator.said("invoice", "reconcile", *days).out
    assert ben.said("invoice", "reconcile", *days).code == 2


def test_a_bank_that_asks_is_answered_and_the_same_command_goes_on(admin: Console) -> None:
    david = admin.as_("david@contoso.com")
    can_pay(david, "tok_action_required")
    words = ("buy", "Power BI Pro", "-n", "1")
    asked = david(*words)
    assert asked.refused == "payment_action_required"
    facts = asked.data["error"]["facts"]
    assert f"--command-id {facts['command_id']}" in one_line_of(asked)
    operator = david.as_("operator")
    assert david.done("products")["subscriptions"] == []
    operator.done("sandbox", "confirm", facts["payment_id"])
    assert operator("sandbox", "confirm", facts["payment_id"]).code == 2
    again = david.done(*words, "--command-id", facts["command_id"])
    assert again["charges"][0]["payment_id"] == facts["payment_id"]
    assert operator("sandbox", "confirm", facts["payment_id"]).code == 2


def test_what_a_bank_took_back_is_learnt_from_the_settlement(ben: Console) -> None:
    bought = ben.done("buy", "Power BI Pro", "-n", "1")
    operator = ben.as_("operator")
    assert operator.done("sandbox", "dispute", bought["charges"][0]["payment_id"])["dispute_id"]
    days = ("--from", TODAY.isoformat(), "--to", (TODAY + timedelta(days=1)).isoformat())
    found = operator("invoice", "reconcile", *days)
    assert found.code == 1
    assert [(one["what"], one["kind"]) for one in found.data["differences"]] == [("missing_here", "dispute")]
    assert operator.done("invoice", "reconcile", *days, "--learn")["differences"] == []
    (invoice,) = ben.done("invoice", "list")["invoices"]
    assert (invoice["state"], invoice["due"]) == ("open", "14.00")


def test_what_its_purchaser_left_behind_is_found_and_adopted(admin: Console, ben: Console, bought: str) -> None:
    can_pay(admin)
    assert admin.done("purchases", "list", "--ownerless")["purchases"] == []
    ben.done("assign", bought, "david@contoso.com")
    admin.done("member", "remove", "ben@contoso.com")
    (row,) = admin.done("purchases", "list", "--ownerless")["purchases"]
    assert row["subscription_id"] == bought
    admin.done("take-over", "adopt", bought, "--reason", "purchaser_left")
    assert admin.done("purchases", "list", "--ownerless")["purchases"] == []
