"""Crediting (F3): eligibility is per batch, money per line; the newest line of the current cycle gives back first."""

from collections.abc import Iterator, Mapping, Sequence
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
    more = False
    for batch, licenses in taken:
        young = in_full and at < batch.opened_at + FULL_CREDIT_WINDOW
        for of_cycle in within_reach(charges, batch.number if young else None):
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


def within_reach(charges: Sequence[Charge], young_batch: int | None) -> Iterator[list[Charge]]:
    """The lines that can give back, newest first: all of the current cycle, of earlier ones those of a young batch."""
    current, *earlier = sorted({charge.cycle.end for charge in charges}, reverse=True)
    yield [charge for charge in reversed(charges) if charge.cycle.end == current]
    for end in earlier:
        yield [charge for charge in charges if charge.cycle.end == end and charge.batch == young_batch]


def unused_days(charge: Charge, standing: LineStanding, at: datetime) -> int:
    """r(t): from the day of the change, which counts as unused, to the end of the cycle; never more than before."""
    return min(standing.days, max(0, (charge.cycle.end - utc_date(at)).days))
