"""The profiles that a run looks at, as the read tables propose them: too many perhaps, and never one too few."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from projections.due_subscriptions import DUE_SUBSCRIPTIONS
from projections.due_work import DUE_WORK, DueWork
from services.ports_reads import DueProfile
from tests.projections.histories import ReadModel

if TYPE_CHECKING:
    from tests.simulation.world import World


class Proposals:
    """The due work of a world, folded from its history as the projector folds it."""

    def __init__(self, world: "World") -> None:
        self.world, self.read = world, 0
        self.model = ReadModel(DueWork())

    def due_profiles(self, until: date) -> Iterator[DueProfile]:
        """As `DUE_PROFILES` asks the tables."""
        recorded = self.world.recorder.organizations[self.world.organization_id]
        self.model.fold(recorded[self.read :])
        self.read = len(recorded)
        rows = [row for row in self.model[DUE_WORK] if row.due_on <= until and row.billing_profile_id]
        removed = {row.subject_id for row in self.model[DUE_WORK] if row.kind == "release_licenses"}
        left = {
            row.billing_profile_id
            for row in self.model[DUE_SUBSCRIPTIONS]
            if row.renews and row.purchaser_id in removed
        }
        payments: dict[UUID, list[UUID]] = {one: [] for one in sorted({row.billing_profile_id for row in rows} | left)}
        for row in rows:
            if row.payment_id and row.payment_id not in payments[row.billing_profile_id]:
                payments[row.billing_profile_id].append(row.payment_id)
        for profile_id, payment_ids in payments.items():
            yield DueProfile(self.world.organization_id, profile_id, tuple(sorted(payment_ids)))
