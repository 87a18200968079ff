"""What a thing was at a moment: as it was known, as it was, and both."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.replay import state_as_of
from domain.as_of import AsOf
from domain.kernel import PydanticJSON, PydanticMapper
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.read_as_of import ReadAsOf, read_as_of
from tests.examples import PURCHASED_AT, an_id
from tests.services.contoso import OPERATOR, Contoso

MAPPER = PydanticMapper(PydanticJSON())
FEB_28, MARCH_5, MARCH_7 = date(2025, 2, 28), date(2025, 3, 5), date(2025, 3, 7)


def query(contoso: Contoso, of: UUID, by: Actor = OPERATOR, **moment: Any) -> ReadAsOf:
    return ReadAsOf(organization_id=contoso.organization_id, actor=by, aggregate_id=of, as_of=AsOf(**moment))


def state(contoso: Contoso, of: UUID, **moment: Any) -> dict[str, Any]:
    return state_as_of(contoso.ledger, query(contoso, of, **moment), MAPPER).state


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@pytest.fixture
def late(contoso: Contoso) -> UUID:
    """To be renewed on 28 February, by a run that comes on 7 March; David, who held a license, left on 5 March."""
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    contoso.clock.now = noon(MARCH_5)
    contoso.removes(contoso.david)
    contoso.advances(MARCH_7)
    return bought


def test_what_a_late_run_recorded_has_happened_on_the_day_on_which_it_was_due(contoso: Contoso, late: UUID) -> None:
    pool_id = contoso.subscription(late).pool_id
    [renewal] = [event for event in contoso.history() if event.topic.endswith("SubscriptionRenewed")]
    assert renewal.envelope.effective_at == datetime(2025, 2, 28, tzinfo=UTC)
    before = {"known": renewal.position - 1}
    for moment in ({}, before, {"effective_at": noon(FEB_28) - timedelta(days=1)}):
        assert state(contoso, late, **moment)["term_number"] == (0 if moment else 1)
    assert state(contoso, late, effective_at=noon(FEB_28))["term_number"] == 1
    # As it was then, by what we knew before the run: nothing was renewed yet.
    assert state(contoso, late, effective_at=noon(FEB_28), **before)["term_number"] == 0
    # The renewal is a later version of the pool than the license that was taken from him on 5 March.
    on_march_4 = state(contoso, pool_id, effective_at=noon(MARCH_5) - timedelta(days=1))
    assert [batch["number"] for batch in on_march_4["batches"]] == [2]
    assert holders(on_march_4) == 2
    assert holders(state(contoso, pool_id, effective_at=noon(MARCH_5))) == 1
    before_the_renewal = state(contoso, pool_id, **before)
    assert ([batch["number"] for batch in before_the_renewal["batches"]], holders(before_the_renewal)) == ([1], 1)


def holders(pool: dict[str, Any]) -> int:
    return len(pool["holders"]) * 3 // 4 // 16


def test_it_tells_which_version_counts(contoso: Contoso, late: UUID) -> None:
    pool_id = contoso.subscription(late).pool_id
    found = state_as_of(contoso.ledger, query(contoso, pool_id, effective_at=noon(FEB_28)), MAPPER)
    assert (found.aggregate, found.aggregate_id, found.version) == ("LicensePool", pool_id, contoso.pool(late).version)
    before = query(contoso, pool_id, effective_at=PURCHASED_AT)
    assert state_as_of(contoso.ledger, before, MAPPER).version == 3


def test_nothing_is_there_before_it_is_born(contoso: Contoso) -> None:
    bought = contoso.buys()
    [birth] = [event for event in contoso.history() if event.originator_id == bought]
    for moment in (
        {"known": birth.position - 1},
        {"known": birth.recorded_time - timedelta(microseconds=1)},
        {"effective_at": PURCHASED_AT - timedelta(microseconds=1)},
    ):
        with pytest.raises(NotFound):
            state(contoso, bought, **moment)
    for moment in ({"known": birth.position}, {"known": birth.recorded_time}, {"effective_at": PURCHASED_AT}):
        assert state(contoso, bought, **moment)["life"] == "active"


def test_it_takes_a_role_that_audits(contoso: Contoso, another: Contoso) -> None:
    bought = contoso.buys()
    assert read_as_of(contoso.ledger, query(contoso, bought, contoso.by("auditor"))).events
    for by in (contoso.buyer, contoso.admin, contoso.by("billing_reader"), contoso.by("service")):
        with pytest.raises(NotAllowed):
            read_as_of(contoso.ledger, query(contoso, bought, by))
    for asked, of in ((another, bought), (contoso, an_id(77))):
        with pytest.raises(NotFound):
            read_as_of(asked.ledger, query(asked, of))
