"""The bill-to as it is shown: what the personal facts say now."""

from typing import NamedTuple
from uuid import UUID

from domain.billing_profile import BillTo
from domain.personal import FactRef
from services.command import Actor
from services.open_to_auditor import WITHHELD, OpenToAuditor
from services.ports import Directory

ERASED = "[erased]"


class BillToShown(NamedTuple):
    """Name and address, a line each, and the buyer's tax id."""

    lines: tuple[str, ...]
    tax_id: str | None


def bill_to_shown(directory: Directory, organization_id: UUID, bill_to: BillTo, actor: Actor) -> BillToShown:
    """Erased facts read `[erased]`; to an auditor those that no grant opens read `[withheld]`."""
    refs = [ref for ref in (bill_to.name, bill_to.address, bill_to.tax_id) if ref]
    withheld = actor.role == "auditor" and not isinstance(directory, OpenToAuditor)
    known = {} if withheld else directory.facts(organization_id, [ref.fact_id for ref in refs])
    missing = WITHHELD if withheld else ERASED

    def told(ref: FactRef | None) -> str:
        return known.get(ref.fact_id, missing) if ref else ""

    lines = [line.strip() for ref in (bill_to.name, bill_to.address) for line in told(ref).splitlines()]
    return BillToShown(tuple(line for line in lines if line), told(bill_to.tax_id) or None)
