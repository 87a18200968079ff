from datetime import date
from uuid import uuid4

import pytest

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from domain.refusals import NotAllowed
from services.command import Actor
from services.complete_due_work import CompleteDueWork, complete_due_work, due_items
from services.ports_reads import DueItem
from tests.examples import TODAY, TOMORROW
from tests.services.contoso import OPERATOR, THE_OTHER_FOUR, Contoso


class Runs:
    """Life-cycle runs of the house, seen from one organization."""

    def __init__(self, contoso: Contoso, models: ReadModels) -> None:
        self.contoso = contoso
        self.due_work, self.holdings = DueWorkReads(models), HoldingReads(models)

    def query(self, until: date, by: Actor = OPERATOR) -> CompleteDueWork:
        return CompleteDueWork(actor=by, until=until, at_least=self.contoso.position)

    def due(self, until: date = TODAY) -> list[DueItem]:
        return self.mine(list(due_items(self.due_work, self.query(until))))

    def completed(self) -> list[DueItem]:
        query = self.query(TODAY)
        return self.mine(complete_due_work(self.contoso.ledger, self.due_work, self.holdings, query))

    def mine(self, items: list[DueItem]) -> list[DueItem]:
        return [item for item in items if item.organization_id == self.contoso.organization_id]


@pytest.fixture
def runs(contoso: Contoso, read_models: ReadModels) -> Runs:
    return Runs(contoso, read_models)


def test_what_a_crash_left_open_is_done(contoso: Contoso, runs: Runs) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    contoso.half_removes(contoso.ben)
    assert [(item.kind, item.subject_id) for item in runs.due()] == [("release_licenses", contoso.ben)]
    assert [item.subject_id for item in runs.completed()] == [contoso.ben]
    assert contoso.ledger.license_pool(contoso.organization_id, contoso.subscription(bought).pool_id).assigned == 1
    assert runs.due() == []
    assert runs.completed() == []


def test_a_run_of_one_organization_leaves_the_others_alone(contoso: Contoso, runs: Runs) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.half_removes(contoso.ben)
    of_another = runs.query(TODAY).model_copy(update={"organization_id": uuid4()})
    assert complete_due_work(contoso.ledger, runs.due_work, runs.holdings, of_another) == []
    assert contoso.pool(bought).assigned == 1
    of_contoso = of_another.model_copy(update={"organization_id": contoso.organization_id})
    assert [
        item.subject_id for item in complete_due_work(contoso.ledger, runs.due_work, runs.holdings, of_contoso)
    ] == [contoso.ben]


def test_a_member_who_came_back_keeps_the_licenses(contoso: Contoso, runs: Runs) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.half_removes(contoso.ben)
    query = runs.query(TODAY)
    found = list(due_items(runs.due_work, query))
    contoso.imports(THE_OTHER_FOUR[0])  # Ben is restored

    class Seen:
        """What was due before the member came back."""

        def due(
            self, until: date, *, after: DueItem | None = None, limit: int = 200, at_least: int = 0
        ) -> list[DueItem]:
            assert (until, limit) == (TODAY, 200)
            assert at_least <= contoso.position
            return [] if after else found

    assert runs.mine(complete_due_work(contoso.ledger, Seen(), runs.holdings, query)) == []
    assert contoso.pool(bought).assigned == 1


def test_what_only_the_clock_brings_is_listed_and_left_alone(contoso: Contoso, runs: Runs) -> None:
    bought = contoso.buys()
    assert runs.due(TOMORROW) == []
    ends = contoso.subscription(bought).term.end
    assert [(item.kind, item.subject_id) for item in runs.due(ends)] == [("subscription", bought)]
    assert runs.completed() == []


def test_life_cycle_runs_are_the_operators(contoso: Contoso, runs: Runs) -> None:
    for by in (contoso.admin, contoso.buyer, contoso.by("auditor")):
        with pytest.raises(NotAllowed):
            list(due_items(runs.due_work, runs.query(TODAY, by)))
