"""What the sandbox settles: the movements of each day (UTC)."""

from datetime import UTC, date, datetime, time, timedelta
from sqlite3 import Connection
from uuid import UUID

from adapters.payments.sandbox_payments import EPOCH, MICROSECOND
from services.ports_payments import SettlementRow

_MOVEMENTS = """
SELECT m.at, m.kind, p.payment_id, p.attempt, m.refund_id, m.reference, m.amount, p.currency FROM (
    SELECT captured_at AS at, 'capture' AS kind, id AS payment, NULL AS refund_id,
           'sandbox_pay_' || id AS reference, captured AS amount
        FROM payments WHERE captured_at >= ?1 AND captured_at < ?2
    UNION ALL
    SELECT succeeded_at, 'refund', payment, refund_id, 'sandbox_refund_' || id, amount
        FROM refunds WHERE succeeded_at >= ?1 AND succeeded_at < ?2
    UNION ALL
    SELECT failed_at, 'refund_reversal', payment, refund_id, 'sandbox_refund_' || id || '_failed', amount
        FROM refunds WHERE succeeded_at IS NOT NULL AND failed_at >= ?1 AND failed_at < ?2
    UNION ALL
    SELECT opened_at, 'dispute', payment, NULL, 'sandbox_dispute_' || id, amount
        FROM disputes WHERE opened_at >= ?1 AND opened_at < ?2
    UNION ALL
    SELECT closed_at, 'dispute_reversal', payment, NULL, 'sandbox_dispute_' || id || '_won', amount
        FROM disputes WHERE state = 'won' AND closed_at >= ?1 AND closed_at < ?2
) AS m JOIN payments AS p ON p.id = m.payment ORDER BY m.at, p.id
"""


def settled(db: Connection, since: date, until: date) -> list[SettlementRow]:
    bounds = [(datetime.combine(day, time(), UTC) - EPOCH) // MICROSECOND for day in (since, until + timedelta(days=1))]
    return [
        SettlementRow(_day(at), kind, UUID(payment_id), attempt, UUID(refund_id) if refund_id else None, *rest)
        for at, kind, payment_id, attempt, refund_id, *rest in db.execute(_MOVEMENTS, bounds)
    ]


def _day(at: int) -> date:
    return (EPOCH + timedelta(microseconds=at)).date()
