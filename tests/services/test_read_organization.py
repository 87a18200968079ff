"""An organization's whole history, streaming and page by page, for those who audit."""

import pytest

from domain.organization import CATALOG
from domain.refusals import NotAllowed, NotFound
from services import read_organization as module
from services.command import Actor
from services.read_organization import ReadOrganization, ReadTimeline, read_organization, read_timeline
from tests.examples import an_id
from tests.services.contoso import OPERATOR, Contoso


def query(contoso: Contoso, by: Actor = OPERATOR) -> ReadOrganization:
    return ReadOrganization(organization_id=contoso.organization_id, actor=by)


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_all_of_it_is_read_in_order(contoso: Contoso, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    contoso.buys()
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    assert list(read_organization(contoso.ledger, query(contoso))) == contoso.history()


@pytest.mark.parametrize("limit", [1, 4, 200])
def test_page_by_page_it_is_the_same(contoso: Contoso, limit: int) -> None:
    contoso.buys()
    auditor, found, after = contoso.by("auditor"), [], 0
    while True:
        asked = ReadTimeline(organization_id=contoso.organization_id, actor=auditor, after=after, limit=limit)
        events, following = read_timeline(contoso.ledger, asked)
        assert len(events) <= limit
        found += events
        if following is None:
            break
        (after,) = following
    assert found == contoso.history()


def test_it_takes_a_role_that_audits_and_is_refused_before_anything_is_read(contoso: Contoso) -> None:
    for by in (contoso.buyer, contoso.admin, contoso.by("billing_reader"), contoso.by("service")):
        with pytest.raises(NotAllowed):
            read_organization(contoso.ledger, query(contoso, by))
        with pytest.raises(NotAllowed):
            read_timeline(contoso.ledger, ReadTimeline(organization_id=contoso.organization_id, actor=by))
    with pytest.raises(NotAllowed):
        read_organization(contoso.ledger, ReadOrganization(organization_id=CATALOG, actor=contoso.by("auditor")))
    with pytest.raises(NotFound):
        read_organization(contoso.ledger, ReadOrganization(organization_id=an_id(77), actor=OPERATOR))


def test_it_is_of_one_organization(contoso: Contoso, another: Contoso) -> None:
    another.buys()
    assert {event.organization_id for event in read_organization(contoso.ledger, query(contoso))} == {
        contoso.organization_id
    }
    with pytest.raises(NotFound):
        read_organization(contoso.ledger, query(contoso, another.by("auditor")))
