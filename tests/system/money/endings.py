"""How a story ends: what was told of each aggregate, and what the provider has; and what must never differ."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.invoice import Invoice
from domain.license_pool import LicensePool
from domain.payment import Payment
from domain.subscription import Subscription
from tests.system.money.world import World

INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")

Streams = dict[UUID, list[tuple[str, bytes]]]


class Ending(NamedTuple):
    """What is compared with the calm run. `figures` do not depend on when something was done, `streams` do."""

    streams: Streams
    provider: list[tuple[object, ...]]
    figures: dict[UUID, tuple[object, ...]]

    def without_instants(self) -> Ending:
        streams = {
            one: [(topic, INSTANT.sub(b"then", state)) for topic, state in events]
            for one, events in self.streams.items()
        }
        return self._replace(streams=streams)


def ending_of(world: World) -> Ending:
    streams: Streams = {}
    for event in world.history():
        streams.setdefault(event.originator_id, []).append((event.topic, bytes(event.state)))
    provider = [
        (one.payment_id, one.attempt, one.state, one.amount_minor, one.captured_minor, one.code, refunds)
        for one in world.sandbox.payments()
        for refunds in [tuple((refund.refund_id, refund.amount_minor, refund.state) for refund in one.refunds)]
    ]
    return Ending(streams, sorted(provider, key=str), figures_of(world))


def figures_of(world: World) -> dict[UUID, tuple[object, ...]]:
    """What people own, owe and have, without when it came about."""
    figures: dict[UUID, tuple[object, ...]] = {}
    for invoice in world.all(Invoice):
        lines = tuple((line.quantity, line.period, line.amount_minor) for line in invoice.lines)
        sums = invoice.total_minor, invoice.credited_minor, invoice.paid_minor, invoice.due_minor, invoice.moved_minor
        figures[invoice.id] = invoice.number, invoice.status, *sums, lines
    for payment in world.all(Payment):
        refunds = tuple((refund.amount_minor, refund.state) for refund in payment.refunds.values())
        figures[payment.id] = payment.status, payment.amount_minor, payment.allocation, refunds
    for profile in world.all(BillingProfile):
        figures[profile.id] = profile.invoices, profile.credit_notes, profile.balance_minor
    for pool in world.all(LicensePool):
        figures[pool.id] = pool.total, pool.closed, tuple(pool.holders)
    for subscription in world.all(Subscription):
        figures[subscription.id] = subscription.life, subscription.term, subscription.recurring_billing
    return figures


def complaints_about(world: World) -> list[str]:
    """What is wrong with the money, whatever has happened: the provider and the ledger must agree."""
    wrong = [f"held still: {hold}" for hold in world.sandbox.holds()]
    payments: dict[UUID, Payment] = {one.id: one for one in world.all(Payment)}
    at_provider = world.sandbox.payments()
    attempts = Counter((one.payment_id, one.attempt) for one in at_provider)
    wrong += [f"{times} objects of the provider for {attempt}" for attempt, times in attempts.items() if times > 1]
    wrong += [f"nobody knows of {one}" for one in at_provider if one.payment_id not in payments]
    for payment in payments.values():
        here = [one for one in at_provider if one.payment_id == payment.id]
        taken = sum(one.captured_minor for one in here)
        if taken != payment.captured_minor:
            wrong.append(f"payment {payment.id}: {taken} taken, {payment.captured_minor} recorded ({payment.status})")
        back = {r.refund_id: (r.amount_minor, r.state) for one in here for r in one.refunds}
        told = {one: (refund.amount_minor, refund.state) for one, refund in payment.refunds.items()}
        if back != told:
            wrong.append(f"payment {payment.id}: given back {back}, recorded {told}")
        if payment.is_open or payment.open_refunds:
            wrong.append(f"payment {payment.id} has no end: {payment.status}")
    for invoice in world.all(Invoice):
        if invoice.collected_by:
            wrong.append(f"invoice {invoice.number} is being collected still")
        if invoice.paid_minor + invoice.credited_minor + invoice.due_minor != invoice.total_minor:
            wrong.append(f"invoice {invoice.number} does not add up")
    return wrong + gaps_of(world)


def gaps_of(world: World) -> list[str]:
    """Numbers of documents rise by one on each profile, and none stands twice."""
    numbers: dict[str, list[int]] = {}
    for invoice in world.all(Invoice):
        prefix, number = invoice.number.rsplit("-", 1)
        numbers.setdefault(prefix, []).append(int(number))
    return [
        f"the invoices of {prefix} are numbered {sorted(given)}"
        for prefix, given in numbers.items()
        if sorted(given) != list(range(1, len(given) + 1))
    ]
