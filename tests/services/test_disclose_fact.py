from typing import Any, cast, get_args
from uuid import UUID, uuid4

import pytest

from adapters.postgres.directory import PersonalDirectory
from domain.envelope import RecordedEvent, Role
from domain.personal import PersonalFact
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.disclose_fact import DiscloseFact, Disclosure, disclose_fact
from services.ledger import Ledger
from tests.services.contoso import OPERATOR, Clock, Contoso
from tests.services.forgetful import Forgetful


@pytest.fixture
def contoso(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Forgetful:
    return cast("Forgetful", Forgetful.founded(ledger, directory, clock))


def kept(contoso: Forgetful, member_id: UUID) -> PersonalFact:
    """What Ben kept of his user name."""
    found = contoso.register.of_subject(contoso.organization_id, member_id)
    return next(stored.fact for stored in found if stored.fact.purpose == "user_name")


def disclosed(contoso: Forgetful, fact: PersonalFact, by: Actor = OPERATOR, **other: Any) -> Disclosure:
    given = {"fact_id": fact.fact_id, "value": fact.value, "salt": fact.salt, **other}
    query = DiscloseFact(organization_id=contoso.organization_id, actor=by, **given)
    return disclose_fact(contoso.ledger, contoso.register, query)


def test_the_value_is_known_again_also_after_it_was_erased(contoso: Forgetful) -> None:
    fact = kept(contoso, contoso.ben)
    before = disclosed(contoso, fact)
    assert before.matches
    assert (before.event, before.aggregate_id) == ("Member.MemberAdded", contoso.ben)
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    assert disclosed(contoso, fact) == before


def test_all_of_history_is_looked_at_for_an_erased_one_alone(
    contoso: Forgetful, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact, looked = kept(contoso, contoso.ben), []
    every = contoso.ledger.history.mentioning

    def mentioning(organization_id: UUID, text: str) -> list[RecordedEvent]:
        looked.append(text)
        return every(organization_id, text)

    monkeypatch.setattr(contoso.ledger.history, "mentioning", mentioning)
    assert disclosed(contoso, fact).matches
    assert looked == []
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    assert disclosed(contoso, fact).matches
    assert looked == [str(fact.fact_id)]


@pytest.mark.parametrize("other", [{"value": "ben@contoso.co"}, {"value": ""}, {"salt": "5a" * 32}])
def test_any_other_value_or_salt_is_not_it(contoso: Forgetful, other: dict[str, Any]) -> None:
    assert not disclosed(contoso, kept(contoso, contoso.ben), **other).matches


def test_a_fact_of_somebody_else_is_not_it(contoso: Forgetful) -> None:
    bens, davids = kept(contoso, contoso.ben), kept(contoso, contoso.david)
    assert not disclosed(contoso, bens, fact_id=davids.fact_id).matches


def test_what_history_never_heard_of_does_not_exist(contoso: Forgetful, another: Contoso) -> None:
    elsewhere = kept(another_of(contoso, another), another.ben)
    for fact_id in (uuid4(), elsewhere.fact_id):
        with pytest.raises(NotFound):
            disclosed(contoso, kept(contoso, contoso.ben), fact_id=fact_id)


def another_of(contoso: Forgetful, another: Contoso) -> Forgetful:
    other = Forgetful(
        contoso.ledger, contoso.clock, contoso.directory, another.organization_id, another.holdings, another.handle
    )
    other.ben = another.ben
    return other


@pytest.mark.parametrize("role", get_args(Role))
def test_for_those_who_audit(contoso: Forgetful, role: Role) -> None:
    fact, actor = kept(contoso, contoso.david), contoso.by(role)
    if role in {"auditor", "operator"}:
        assert disclosed(contoso, fact, by=actor).matches
        return
    with pytest.raises(NotAllowed):
        disclosed(contoso, fact, by=actor)


def test_nothing_of_it_shows_in_an_error(contoso: Forgetful) -> None:
    with pytest.raises(ValueError, match="value") as error:
        DiscloseFact(
            organization_id=contoso.organization_id, actor=OPERATOR, fact_id=uuid4(), value="Canary\0", salt="5a" * 32
        )
    assert "Canary" not in str(error.value)
