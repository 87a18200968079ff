"""A year in the life of an organization, by a seed: purchases, changes, cards that fail, banks that take back."""

from contextlib import suppress
from datetime import timedelta
from random import Random
from uuid import UUID

from domain.invoice import Invoice
from domain.payment import Payment
from domain.refusals import Refusal
from services.pay_invoice import PayInvoice, pay_invoice
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription
from tests.services.world_of_bills import Bills

CARDS = (
    *("tok_visa",) * 4,
    "tok_declined_insufficient_funds",
    "tok_refund_fails",
    "tok_disputed",
    "tok_action_required",
)


class AYear:
    """What happens is drawn; what is refused is part of life."""

    def __init__(self, bills: Bills, seed: int, unit_price_minor: int) -> None:
        self.bills, self.random = bills, Random(seed)  # noqa: S311 - a story, no secret
        self.offers = [
            bills.sells(unit_price_minor),
            bills.sells(unit_price_minor + 1, term="P1Y"),
            bills.sells(unit_price_minor * 11, term="P1Y", plan="annual"),
        ]
        self.bought: list[UUID] = []
        self.cards = 0

    def goes_by(self, steps: int) -> None:
        acts = [self.buys] * 2 + [self.adds] * 4 + [self.removes] * 3
        acts += [self.cancels, self.cancels_later, self.changes_card, self.changes_card, self.pays, self.reactivates]
        acts += [self.disputes, self.decides]
        for _ in range(steps):
            self.bills.clock.now += timedelta(hours=self.random.choice((5, 40, 300)))
            self.bills.runs()
            for _ in range(self.random.randint(1, 3)):
                with suppress(Refusal, LookupError):
                    self.random.choice(acts)()
                self.bills.clock.now += timedelta(hours=self.random.randint(0, 20))

    def one(self) -> UUID:
        """Rather one that can still be changed."""
        return self.random.choice(self.bought[-4:])

    def buys(self) -> None:
        self.bought.append(self.bills.buys(self.random.randint(1, 9), self.random.choice(self.offers)))

    def total(self, subscription_id: UUID) -> int:
        subscription = self.bills.ledger.subscription(self.bills.organization_id, subscription_id)
        return self.bills.ledger.license_pool(self.bills.organization_id, subscription.pool_id).total

    def adds(self) -> None:
        subscription_id = self.one()
        self.bills.resizes(subscription_id, self.total(subscription_id) + self.random.randint(1, 4))

    def removes(self) -> None:
        subscription_id = self.one()
        self.bills.resizes(subscription_id, max(1, self.total(subscription_id) - self.random.randint(1, 4)))

    def cancels(self) -> None:
        self.bills.cancels(self.one())

    def cancels_later(self) -> None:
        self.bills.cancels(self.one(), "term_end")

    def reactivates(self) -> None:
        command = self.bills.does(ReactivateSubscription, subscription_id=self.one())
        reactivate_subscription(self.bills.ledger, command, self.bills.till)
        self.bought.append(command.new_subscription_id)

    def changes_card(self) -> None:
        self.cards += 1
        self.bills.changes_card(f"{self.random.choice(CARDS)}:{self.cards}")

    def pays(self) -> None:
        invoice_id = self.random.choice(self.bills.ids_of(Invoice.InvoiceIssued))
        pay_invoice(self.bills.ledger, self.bills.does(PayInvoice, invoice_id=invoice_id), self.bills.till)

    def disputes(self) -> None:
        self.bills.gateway.dispute(self.random.choice(self.bills.ids_of(Payment.PaymentCaptured)))

    def decides(self) -> None:
        opened = [event.dispute_id for event in self.bills.told(Payment.PaymentDisputed)]
        self.bills.gateway.close_dispute(self.random.choice(opened), self.random.choice(["won", "lost"]))
