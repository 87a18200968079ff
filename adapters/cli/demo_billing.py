"""What the demo tells of money: a card, what it pays for, what it refuses to pay, and what comes back to it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from adapters.cli.demo_telling import Telling

VISA, MASTERCARD, REFUSING = "tok_visa", "tok_mastercard", "tok_declined_insufficient_funds"
NO_CARD = "4111 1111 1111 1111"  # the number that every documentation of cards has; refused like a real one
PAYER = ("--name", "Contoso Ltd", "--address", "1 Generated Street, Sample City", "--tax-id", "SAMPLE-1")
PERSONAL = ["Contoso Ltd", "Generated Street", "SAMPLE-1"]


class Billing(Telling):
    """Ben pays: on the sandbox, where no money moves."""

    visa: str
    profile: str  # the prefix of its invoices' numbers
    bought_on: date
    renews_on: date

    def card(self) -> None:
        self.chapter("Ben adds a card and opens a billing profile (the sandbox: no money moves)")
        refused = ("payment-method", "add", NO_CARD, *self.by_purchaser)
        self.refused("card_data_not_accepted", "a card number instead of the provider's token", *refused)
        added = self.run("payment-method", "add", VISA, "--holder", "Ben Andrews", *self.by_purchaser)
        self.visa = str(added.data["payment_method_id"])
        opened = self.run("billing-profile", "open", self.visa, *PAYER, *self.by_purchaser)
        self.profile = str(opened.data["prefix"])
        self.run("billing-profile", "po-number", "PO-17", *self.by_purchaser)
        shown = self.run("billing-profile", "show", *self.by_purchaser).data
        self.check("card of the profile", ["visa", "4242"], [shown["card"]["brand"], shown["card"]["last4"]])
        self.check("billed to", "Contoso Ltd", shown["bill_to"][0])

    def cards(self) -> None:
        self.chapter("Ben edits the card, and replaces it by one that will not pay")
        words = ("--expiry", "12/2040", "--security-code-token", f"cvctok_ok:{self.report.organization}")
        edited = self.run("payment-method", "edit", self.visa[:8], *words, *self.by_purchaser)
        self.check("changed", ["expiry", "security_code"], edited.data["events"][0]["facts"]["changed"])
        other = self.run("payment-method", "add", REFUSING, *self.by_purchaser).data["payment_method_id"]
        self.run("billing-profile", "replace-card", other, *self.by_purchaser)
        cards = self.run("payment-method", "list", *self.by_purchaser).data["payment_methods"]
        self.check("cards that stay stored", 2, len(cards))
        self.refused("payment_declined", "a purchase on it", "buy", "Power BI Pro", "-n", "1", *self.by_purchaser)

    def declined_renewal(self, subscription: str) -> None:
        self.chapter(f"A month later, on {self.renews_on}, the renewal is declined; another card makes it good")
        quoted = self.run("quote", subscription, "--renewal", *self.by_purchaser)
        self.check("what the renewal comes to", "1470.00", quoted.data["total"])
        self.advance(self.renews_on, "08:00")
        invoice = self.newest_invoice()
        self.check("the renewal's invoice", ["1470.00", "1470.00", "past_due"], due_of(invoice))
        (row,) = self.run("purchases", "list", *self.by_purchaser).data["purchases"]
        self.check("the subscription", "in_grace", row["state"])
        more = ("resize", subscription, "110", *self.by_purchaser)
        self.refused("invoice_past_due", "more licenses in grace", *more)
        good = self.run("payment-method", "add", MASTERCARD, *self.by_purchaser).data["payment_method_id"]
        replaced = self.run("billing-profile", "replace-card", good, *self.by_purchaser)
        self.check("past due after that", [], replaced.data["past_due"])
        self.check("the renewal's invoice", ["1470.00", "0.00", "paid"], due_of(self.newest_invoice()))
        (row,) = self.run("purchases", "list", *self.by_purchaser).data["purchases"]
        self.check("the subscription", "active", row["state"])
        self.run("billing-profile", "replace-card", self.visa, *self.by_purchaser)

    def invoice_history(self) -> None:
        self.chapter("Ben's invoices, by date; one of them explained, and as a PDF")
        words = ("invoice", "list", *self.by_purchaser)
        self.show(*words)
        mine = self.run(*words).data["invoices"]
        expected = [f"{self.profile}-{number:06}" for number in (3, 2, 1)]
        self.check("invoices of the past three months, newest first", expected, [one["number"] for one in mine])
        self.check("totals", ["1470.00", "70.00", "1400.00"], [one["total"] for one in mine])
        first_day = ("--from", self.bought_on.isoformat(), "--to", self.bought_on.isoformat())
        found = self.run(*words, *first_day).data["invoices"]
        self.check("invoices of the first day", expected[1:], [one["number"] for one in found])
        since = ("--from", (self.bought_on + timedelta(days=1)).isoformat())
        found = self.run(*words, *since).data["invoices"]
        self.check("invoices since the day after", expected[:1], [one["number"] for one in found])
        self.one_invoice(expected[0])

    def one_invoice(self, number: str) -> None:
        shown = self.run("invoice", "show", number, *self.by_purchaser).data
        amounts = [shown["total"], shown["credited"], shown["paid"], shown["due"]]
        self.check("the renewal: total, credited, paid, due", ["1470.00", "1470.00", "0.00", "0.00"], amounts)
        moved = [[one["what"], one["amount"]] for one in shown["payments"]]
        paid = ["Mastercard ending in 4444", "1470.00"]
        self.check("its money", [paid, ["refund to Mastercard ending in 4444", "-1470.00"]], moved, brief="in and out")
        words = ("invoice", "explain", number, *self.by_purchaser)
        explained = self.run(*words).data
        self.show(*words)
        (line,), (note,) = explained["lines"], explained["credit_notes"]
        self.check("its line, in cents", "105 x 1400 = 147000", line["arithmetic"]["text"])
        self.check("its credit note, in cents", "105 x 1400 = 147000", note["lines"][0]["arithmetic"]["text"])
        self.check("where history tells another amount", [], explained["contradictions"])
        file = self.stage.home / f"invoice-{number}.pdf"
        self.run("invoice", "pdf", number, "--output", str(file), "--force", *self.by_purchaser)
        self.check("the PDF", "%PDF-", beginning_of(file))
        self.say(f"  {file}")

    def reconciled(self) -> None:
        later = self.renews_on + timedelta(days=1)
        self.chapter(f"A day later, {later}: everything agrees with what the provider settled")
        self.advance(later, "08:00")
        days = ("--from", self.bought_on.isoformat(), "--to", later.isoformat())
        by_operator = ("--org", self.report.organization, "--as", "operator")
        found = self.run("invoice", "reconcile", *days, *by_operator).data
        self.check("movements: three payments and a refund", [4, 4], [found["settled"], found["recorded"]])
        self.check("differences from the provider's settlement", [], found["differences"])

    def advance(self, day: date, time: str) -> None:
        """Contoso is a simulation: its calendar is at this moment from now on."""
        self.run("advance", "--org", self.report.organization, "--as", "operator", "--as-of", f"{day}T{time}Z")

    def newest_invoice(self) -> dict[str, str]:
        found = self.run("invoice", "list", *self.by_purchaser).data["invoices"]
        newest: dict[str, str] = found[0]
        return newest


def due_of(invoice: dict[str, str]) -> list[str]:
    return [invoice["total"], invoice["due"], invoice["state"]]


def beginning_of(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(5).decode("ascii", "replace")
