"""Crediting (F3): eligibility is per batch, money per line; the newest line of the current cycle gives back first."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.calendar import utc_date
from domain.invoice import Invoice
from domain.invoice_line import LineStanding, Removal
from domain.license_pool import Batch, Charge

FULL_CREDIT_WINDOW = timedelta(hours=24)  # of a batch: what was charged for it is given back in full


class Credits(NamedTuple):
    """What is taken back from which invoice, and whether that is more than the unused days."""

    removals: dict[UUID, list[Removal]]
    more_than_unused: bool


def credits_for(
    taken: Sequence[tuple[Batch, int]],
    charges: Sequence[Charge],
    invoices: Mapping[UUID, Invoice],
    at: datetime,
    *,
    in_full: bool,
) -> Credits:
    """The credit for licenses taken from batches, newest first.

    A batch in its first 24 hours gives back every line charged for it in full, also of an earlier cycle; but only
    where `in_full` allows more than the unused days.
    """
    removals: dict[UUID, list[Removal]] = {}
    standings = {charge: invoices[charge.invoice_id].standings[charge.line] for charge in charges}
    quantities = {charge: standing.quantity for charge, standing in standings.items()}
    cycle_end = charges[-1].cycle.end
    more = False
    for batch, licenses in taken:
        young = in_full and at < batch.opened_at + FULL_CREDIT_WINDOW
        current = [charge for charge in reversed(charges) if charge.cycle.end == cycle_end]
        earlier = [charge for charge in charges if young and charge not in current and charge.batch == batch.number]
        for of_cycle in filter(None, (current, earlier)):
            wanted = licenses
            for charge in of_cycle:
                here = min(wanted, quantities[charge])
                if not here:
                    continue
                unused = unused_days(charge, standings[charge], at)
                days = invoices[charge.invoice_id].line(charge.line).days if young else unused
                more = more or days > unused
                quantities[charge] -= here
                wanted -= here
                removal = Removal(line=charge.line, licenses=here, days=days)
                removals.setdefault(charge.invoice_id, []).append(removal)
    return Credits(removals, more)


def unused_days(charge: Charge, standing: LineStanding, at: datetime) -> int:
    """r(t): from the day of the change, which counts as unused, to the end of the cycle; never more than before."""
    return min(standing.days, max(0, (charge.cycle.end - utc_date(at)).days))
