"""The story of the demo, step by step; whatever is told is checked."""

from __future__ import annotations

import csv
import itertools
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.cli.answer import plural
from adapters.cli.demo_billing import PERSONAL, Billing
from adapters.cli.demo_http import OverHttp
from adapters.cli.demo_stage import Outcome
from adapters.directory.microsoft_365 import COLUMNS, CONTOSO

GENERATED = 30  # members besides the five of the directory
ADMIN, PURCHASER = "chris@contoso.com", "ben@contoso.com"
STRANGER = "stranger@elsewhere.example"
FEEDBACK = "We only needed it for the migration."
RELAYED_S = 30.0
MONEY = ("invoice.invoice_issued", "payment.payment_captured", "invoice.credit_note_issued", "payment.refund_succeeded")


class Story(Billing, OverHttp):
    """Contoso buys, assigns, pays and cancels; then everybody looks at it."""

    def tell(self) -> None:
        self.catalog()
        self.organization()
        self.card()
        subscription = self.purchase()
        self.assignments(subscription)
        self.admins_view(subscription, state="active", assigned=18)
        self.cards()
        self.declined_renewal(subscription)
        self.cancellation(subscription)
        self.admins_view(subscription, state="disabled", assigned=0)
        self.invoice_history()
        self.reconciled()
        self.consumer(subscription)
        self.over_http()
        self.auditor(subscription)

    def catalog(self) -> None:
        self.chapter("The catalog: real products and list prices")
        done = self.run("catalog", "import")
        self.check("products: 569 listed, and 2 that only the self-service list has", 571, done.data["products"])
        self.check("self-service products", 17, done.data["self_service"])
        self.check("products on sale, because they have a price", 7, done.data["on_sale"])

    def organization(self) -> None:
        self.chapter("Contoso and its people")
        handle = self.free_handle()
        self.report.organization = handle
        created = self.run(
            *("organization", "create", handle, "--country", "US", "--currency", "USD", "--simulation"),
            *("--admin", ADMIN, "--admin-name", "Chris Green"),
        )
        self.organization_id = UUID(created.data["organization_id"])
        self.by_admin = ("--org", handle, "--as", ADMIN)
        self.by_purchaser = ("--org", handle, "--as", PURCHASER)
        imported = self.run("member", "import", str(CONTOSO), *self.by_admin)
        self.check("people in Contoso's directory", 5, imported.data["members"])
        generated = write_generated(self.stage.home / "generated_members.csv")
        imported = self.run("member", "import", str(generated), *self.by_admin)
        self.check("generated members", GENERATED, imported.data["members"])
        again = self.run("member", "import", str(generated), *self.by_admin)
        self.check("events of the same import again", 0, again.data["events"])

    def free_handle(self) -> str:
        """contoso, or contoso-2, contoso-3, … after earlier runs."""
        for number in itertools.count(1):
            handle = "contoso" if number == 1 else f"contoso-{number}"
            if self.stage.run("organization", "show", "--org", handle, "--as", "operator").refusal == "not_found":
                return handle
        raise AssertionError("numbers do not end")

    def purchase(self) -> str:
        self.chapter("Ben buys 100 licenses of Power BI Pro, and makes it 105")
        quoted = self.run("quote", "Power BI Pro", "--licenses", "100", *self.by_purchaser)
        self.check("100 licenses at 14.00 USD a month, in cents", 140_000, quoted.data["amount_minor"])
        self.check("what the purchase comes to", "1400.00", quoted.data["purchase"]["total"])
        order = ("buy", "Power BI Pro", "--licenses", "100", "--expected-amount", "1400.00")
        bought = self.run(*order, *self.by_purchaser)
        self.check("told", ["Subscription.SubscriptionPurchased", "LicensePool.LicensePoolOpened"], told(bought))
        (charge,) = bought.data["charges"]
        self.check("charged", ["1400.00", "Visa ending in 4242"], [charge["amount"], charge["card"]])
        subscription = str(bought.data["subscription_id"])
        words = (*order, "--command-id", bought.data["command_id"])
        again = self.run(*words, *self.by_purchaser)
        self.check("the same command again is the same purchase", bought.data["position"], again.data["position"])
        resized = self.run("resize", subscription, "105", "--expected-total", "100", *self.by_purchaser)
        self.resized_at = int(resized.data["position"])
        self.check("licenses before and after", [100, 105], resize_of(resized))
        self.check("invoiced for 5 more", "70.00", resized.data["invoices"][0]["total"])
        (row,) = self.run("purchases", "list", *self.by_purchaser).data["purchases"]
        self.bought_on, self.renews_on = (date.fromisoformat(row[name]) for name in ("term_start", "term_end"))
        return subscription

    def assignments(self, subscription: str) -> None:
        self.chapter("Ben gives 20 licenses to colleagues, and tries what is not possible")
        assigned = self.run("assign", subscription, *generated_names(1, 20), *self.by_purchaser)
        self.check("licenses assigned", 20, len(told(assigned)))
        many = ("assign", subscription, *generated_names(1, 21), *self.by_purchaser)
        self.refused("too_many_users_at_once", "21 users at once", *many)
        self.refused("user_not_in_organization", "a stranger", "assign", subscription, STRANGER, *self.by_purchaser)
        taken = self.run("unassign", subscription, *generated_names(1, 2), *self.by_purchaser)
        self.check("licenses taken back", 2, len(told(taken)))
        words = ("resize", subscription, "10", *self.by_purchaser)
        self.refused("licenses_still_assigned", "fewer than the 18 assigned", *words)

    def admins_view(self, subscription: str, *, state: str, assigned: int) -> None:
        self.chapter(f"Chris, the admin, sees every purchase, read-only: it is {state}")
        words = ("purchases", "list", "--self-service", *self.by_admin)
        (row,) = self.run(*words).data["purchases"]
        self.show(*words)
        self.check("subscription", subscription, row["subscription_id"])
        self.check("product", "Power BI Pro", row["product"])
        self.check("purchaser", "Ben Andrews", row["purchaser_name"])
        self.check("purchase price", "1,400.00 USD", row["price_text"])
        self.check("licenses", 105, row["licenses_total"])
        self.check("assigned", assigned, row["licenses_assigned"])
        self.check("assigned users", generated_names(3, 20) if assigned else [], sorted(row["assigned_users"]))
        self.check("state", state, row["state"])
        if state == "active":
            change = ("resize", subscription, "110", *self.by_admin, "--role", "admin")
            self.refused("not_allowed", "an admin changes somebody's purchase", *change)

    def cancellation(self, subscription: str) -> None:
        self.chapter("Ben cancels, with a reason and feedback")
        quoted = self.run("quote", subscription, "--cancel", "now", *self.by_purchaser)
        self.check("it would give back", "1470.00", quoted.data["refund"])
        words = ("--when", "now", "--reason", "project_ended", "--feedback", FEEDBACK)
        cancelled = self.run("cancel", subscription, *words, *self.by_purchaser)
        self.check("told", ["Subscription.SubscriptionCancelled", "LicensePool.LicensePoolClosed"], told(cancelled))
        facts = facts_told(cancelled)
        self.check("reason", "project_ended", facts["SubscriptionCancelled"]["reason"])
        self.check("assignments that ended", 18, facts["LicensePoolClosed"]["assignments_ended"])
        (refund,) = cancelled.data["refunds"]
        paid_by = ["1470.00", "Mastercard ending in 4444"]
        self.check("refunded to the card that paid, not to the one in use", paid_by, [refund["amount"], refund["card"]])
        late = ("assign", subscription, PURCHASER, *self.by_purchaser)
        self.refused("subscription_not_active", "assigning after that", *late)

    def consumer(self, subscription: str) -> None:
        from adapters.kafka.topic import read_topic
        from adapters.kafka.topic_settings import Topics

        self.chapter(f"A consumer reads Kafka ({self.stage.broker_kind})")
        self.wait_for_relay()
        topic = Topics().events
        mine = [
            message
            for message in read_topic(self.stage.broker_bootstrap, topic)
            if message.key == str(self.organization_id).encode()
        ]
        of_it = [message for message in mine if subscription.encode() in message.value]
        self.say(f"{topic}: {plural(len(mine), 'message')} of Contoso, {len(of_it)} about the subscription:")
        for kind, group in itertools.groupby(of_it, key=lambda message: message.type):
            self.say(f"    {len(list(group)):>3} x {kind}")
        sequences = [int(message.headers["ce_sequence"]) for message in mine]
        self.check("sequence without a gap", list(range(1, len(mine) + 1)), sequences, brief=f"1 to {len(mine)}")
        kinds = [message.type.removeprefix("seatledger.") for message in of_it]
        licenses = [kind for kind in kinds if kind.startswith(("subscription.", "license_pool."))]
        self.check("messages about the subscription and its licenses", 2 + 1 + 20 + 2 + 4 + 2, len(licenses))
        money = Counter(message.type.removeprefix("seatledger.") for message in mine)
        moved = [money[f"{kind}.v1"] for kind in MONEY]
        self.check("invoices, payments, credit notes and refunds among the messages", [3, 3, 1, 1], moved)
        names = [FEEDBACK, *PERSONAL, "Chris", "contoso.com", "generated.", "Generated"]
        found = [name for name in names if any(name.encode() in message.value for message in mine)]
        self.check("names and feedback in what consumers read", [], found)

    def wait_for_relay(self) -> None:
        """Until the topic has all there is; what is missing after that shows in the checks."""
        deadline = time.monotonic() + RELAYED_S
        while time.monotonic() < deadline:
            relay = self.stage.run("status").data["relay"]
            if relay and relay[0]["lag"] == 0:
                return
            time.sleep(0.2)

    def auditor(self, subscription: str) -> None:
        self.chapter("The auditor: history, a moment of it, and the proof")
        by_operator = ("--org", self.report.organization, "--as", "operator")
        entries = self.run("audit", "history", subscription, *by_operator).data["history"]
        self.show("audit", "history", subscription, *by_operator)
        events = [entry["event"].split(".")[1] for entry in entries]
        expected = ["SubscriptionPurchased", "LicensePoolOpened", "LicensesResized", *["LicenseAssigned"] * 20]
        expected += ["LicenseUnassigned"] * 2 + ["SubscriptionRenewed", "LicensesResized"]
        expected += ["ChargeFailed", "ChargeRecovered", "SubscriptionCancelled", "LicensePoolClosed"]
        self.check("history of the subscription and its pool", expected, events, brief=plural(len(expected), "event"))
        pool = next(entry["aggregate_id"] for entry in entries if entry["event"].startswith("LicensePool."))
        then = self.run("audit", "show", pool, "--at", str(self.resized_at), *by_operator).data["state"]
        self.check("licenses when it was resized, and holders", [105, 0], [then["total"], holders_of(then)])
        verified = self.run("audit", "verify", "--topic")
        self.show_found(verified.data)
        self.check("differences that the audit found", [], verified.data["differences"])
        self.check("verified", [True, 0], [verified.data["verified"], verified.exit_code])


def told(outcome: Outcome) -> list[str]:
    """What was told about subscriptions and licenses; money has chapters of its own."""
    events = [event["event"] for event in outcome.data.get("events", [])]
    return [event for event in events if event.startswith(("Subscription.", "LicensePool."))]


def facts_told(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {event["event"].split(".")[1]: event["facts"] for event in outcome.data["events"]}


def resize_of(outcome: Outcome) -> list[int]:
    facts = facts_told(outcome)["LicensesResized"]
    return [facts["total_before"], facts["total"]]


def holders_of(state: dict[str, Any]) -> int:
    return len(state["holders"])


def generated_names(first: int, last: int) -> list[str]:
    return [f"generated.{number:04}@contoso.example" for number in range(first, last + 1)]


def write_generated(path: Path) -> Path:
    """A directory of members that are plainly generated."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for number, user_name in enumerate(generated_names(1, GENERATED), start=1):
            name = {"First Name": "Generated", "Last Name": f"Member {number:04}"}
            writer.writerow({"User Name": user_name, "Display Name": f"Generated Member {number:04}", **name})
    return path
