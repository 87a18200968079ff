"""Everything in an organization, thing by thing, for those who audit."""

from uuid import UUID

import pytest

from domain.refusals import NotAllowed
from services.read_aggregates import ReadAggregates, read_aggregates, read_all_aggregates
from services.read_organization import ReadOrganization
from tests.services.contoso import OPERATOR, Contoso


@pytest.mark.parametrize("limit", [1, 4, 200])
def test_every_thing_comes_once_with_all_of_its_history(contoso: Contoso, another: Contoso, limit: int) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    another.buys()
    found: dict[UUID, list[int]] = {}
    after = None
    while True:
        asked = ReadAggregates(organization_id=contoso.organization_id, actor=OPERATOR, after=after, limit=limit)
        page = read_aggregates(contoso.ledger, asked)
        assert len(page.streams) <= limit
        for stream in page.streams:
            assert {event.originator_id for event in stream} == {stream[0].originator_id}
            assert stream[0].originator_id not in found
            found[stream[0].originator_id] = [event.originator_version for event in stream]
        if (after := page.following) is None:
            break
    told = contoso.history()
    assert found == {
        one: sorted(event.originator_version for event in told if event.originator_id == one)
        for one in {event.originator_id for event in told}
    }
    assert list(found) == sorted(found)


def test_all_of_them_stream(contoso: Contoso) -> None:
    contoso.buys()
    asked = ReadOrganization(organization_id=contoso.organization_id, actor=contoso.by("auditor"))
    streams = list(read_all_aggregates(contoso.ledger, asked))
    assert sum(map(len, streams)) == len(contoso.history())


def test_it_takes_a_role_that_audits(contoso: Contoso) -> None:
    for by in (contoso.buyer, contoso.admin, contoso.by("billing_reader"), contoso.by("service")):
        with pytest.raises(NotAllowed):
            read_aggregates(contoso.ledger, ReadAggregates(organization_id=contoso.organization_id, actor=by))
        with pytest.raises(NotAllowed):
            read_all_aggregates(contoso.ledger, ReadOrganization(organization_id=contoso.organization_id, actor=by))
