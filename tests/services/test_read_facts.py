"""Personal facts under a grant: nothing is told of which history does not say that it was read."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from adapters.postgres.directory import PersonalDirectory
from domain.auditor_access import AuditorAccess
from domain.refusals import NotAllowed, Refusal
from services.bill_to_shown import bill_to_shown
from services.command import Actor
from services.ledger import Ledger
from services.name_members import name_members
from services.open_to_auditor import OpenToAuditor
from services.ports import LedgerUnavailable
from services.read_facts import read_facts
from services.read_history import ReadHistory
from services.revoke_access import RevokeAccess
from tests.services.contoso import OPERATOR, Clock, Contoso
from tests.services.forgetful import Forgetful
from tests.services.questions import just_before_the_save
from tests.services.test_grant_access import UNTIL, a_grant


@pytest.fixture
def contoso(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Forgetful:
    return cast("Forgetful", Forgetful.founded(ledger, directory, clock))


@pytest.fixture
def cynthia(contoso: Forgetful) -> Actor:
    """The auditor."""
    return contoso.by("auditor")


def opened(contoso: Forgetful, actor: Actor) -> OpenToAuditor:
    """One request of hers."""
    return OpenToAuditor(
        contoso.ledger,
        contoso.register,
        organization_id=contoso.organization_id,
        actor=actor,
        reading="a test",
        read_id=uuid4(),
    )


def facts_of(contoso: Forgetful, actor: Actor, member_id: UUID, directory: Any = None) -> dict[str, str]:
    query = ReadHistory(organization_id=contoso.organization_id, actor=actor, aggregate_id=member_id)
    found = read_facts(contoso.ledger, directory or opened(contoso, actor), query)
    return {fact.field.removeprefix("details."): fact.value for fact in found}


def reads(contoso: Contoso) -> list[AuditorAccess.PersonalDataRead]:
    told = [contoso.ledger.mapper.to_domain_event(one) for one in contoso.history()]
    return [one for one in told if isinstance(one, AuditorAccess.PersonalDataRead)]


def may_read(contoso: Forgetful, actor: Actor, **content: Any) -> UUID:
    granting = a_grant(contoso, actor.id, **content)
    contoso.run(granting)
    return granting.grant_id


def names(contoso: Forgetful, actor: Actor, *ids: UUID, directory: Any = None) -> dict[UUID, str]:
    wish = ReadHistory(organization_id=contoso.organization_id, actor=actor, aggregate_id=contoso.ben)
    found = name_members(directory or opened(contoso, actor), wish, ids)
    return {member_id: details["user_name"] for member_id, details in found.items()}


def test_without_a_grant_nothing_is_told_and_nothing_recorded(contoso: Forgetful, cynthia: Actor) -> None:
    assert set(facts_of(contoso, cynthia, contoso.ben).values()) == {"[withheld]"}
    assert names(contoso, cynthia, contoso.ben) == {}
    assert reads(contoso) == []


def test_with_one_names_are_told_and_that_is_recorded_first(contoso: Forgetful, cynthia: Actor) -> None:
    grant_id = may_read(contoso, cynthia)
    assert facts_of(contoso, cynthia, contoso.ben)["user_name"] == "ben@contoso.com"
    (read,) = reads(contoso)
    assert (read.grant_id, read.operation, read.subject_ids) == (grant_id, "a test", (contoso.ben,))
    assert "user_name" in read.purposes
    envelope = contoso.history()[-1].envelope
    assert (envelope.actor_id, envelope.actor_role) == (cynthia.id, "auditor")


def test_one_look_is_one_event_and_the_same_request_is_not_recorded_twice(contoso: Forgetful, cynthia: Actor) -> None:
    may_read(contoso, cynthia)
    people = [contoso.ben, contoso.chris, contoso.david, contoso.melissa]
    request = opened(contoso, cynthia)
    for _ in range(3):
        assert len(names(contoso, cynthia, *people, directory=request)) == len(people)
    assert [len(read.subject_ids) for read in reads(contoso)] == [len(people)]
    names(contoso, cynthia, contoso.ben)
    assert len(reads(contoso)) == 2


def test_a_grant_for_one_person_opens_nobody_else(contoso: Forgetful, cynthia: Actor) -> None:
    may_read(contoso, cynthia, subject_id=contoso.ben)
    assert names(contoso, cynthia, contoso.ben, contoso.chris) == {contoso.ben: "ben@contoso.com"}
    assert set(facts_of(contoso, cynthia, contoso.chris).values()) == {"[withheld]"}
    assert {one for read in reads(contoso) for one in read.subject_ids} == {contoso.ben}


def test_who_is_billed_opens_too(contoso: Forgetful, cynthia: Actor) -> None:
    contoso.opens_profile(contoso.ben, bill_to="Ben Andrews", tax_id="US-1")
    bill_to = contoso.profile(contoso.ben).bill_to
    shown = bill_to_shown(opened(contoso, cynthia), contoso.organization_id, bill_to, cynthia)
    assert (shown.lines, shown.tax_id) == (("[withheld]",), "[withheld]")
    may_read(contoso, cynthia)
    shown = bill_to_shown(opened(contoso, cynthia), contoso.organization_id, bill_to, cynthia)
    assert (shown.lines, shown.tax_id) == (("Ben Andrews",), "US-1")
    assert [read.purposes for read in reads(contoso)] == [("bill_to_name", "tax_id")]


def test_it_ends_with_its_time_its_revocation_and_the_role(contoso: Forgetful, cynthia: Actor) -> None:
    grant_id = may_read(contoso, cynthia)
    assert names(contoso, cynthia, contoso.ben)
    contoso.clock.now = UNTIL
    assert names(contoso, cynthia, contoso.ben) == {}
    contoso.clock.now = UNTIL - timedelta(seconds=1)
    assert names(contoso, cynthia, contoso.ben)
    contoso.run(contoso.command(RevokeAccess, contoso.admin, auditor_id=cynthia.id, grant_id=grant_id))
    assert names(contoso, cynthia, contoso.ben) == {}


def test_a_grant_that_is_revoked_meanwhile_tells_nothing(contoso: Forgetful, cynthia: Actor) -> None:
    grant_id = may_read(contoso, cynthia)
    revokes = contoso.running(RevokeAccess, contoso.admin, auditor_id=cynthia.id, grant_id=grant_id)
    with just_before_the_save(contoso.ledger, revokes), pytest.raises(NotAllowed, match="the grant has ended"):
        names(contoso, cynthia, contoso.ben)
    assert reads(contoso) == []


@pytest.mark.parametrize("failure", [LedgerUnavailable("away"), KeyboardInterrupt()])
def test_what_cannot_be_recorded_is_not_answered(contoso: Forgetful, cynthia: Actor, failure: BaseException) -> None:
    may_read(contoso, cynthia)

    def fails() -> None:
        raise failure

    with just_before_the_save(contoso.ledger, fails), pytest.raises(type(failure)):
        names(contoso, cynthia, contoso.ben)


def test_what_was_erased_reads_erased_and_is_no_reading(contoso: Forgetful, cynthia: Actor) -> None:
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    assert set(facts_of(contoso, cynthia, contoso.ben).values()) == {"[erased]"}
    may_read(contoso, cynthia)
    assert names(contoso, cynthia, contoso.ben) == {contoso.ben: "[erased]"}
    assert set(facts_of(contoso, cynthia, contoso.ben).values()) == {"[erased]"}
    assert reads(contoso) == []


def test_a_directory_that_records_nothing_tells_an_auditor_nothing(contoso: Forgetful, cynthia: Actor) -> None:
    """Whatever part of the house forgets to hand over the one that does."""
    may_read(contoso, cynthia)
    plain = contoso.directory
    assert names(contoso, cynthia, contoso.ben, directory=plain) == {}
    assert set(facts_of(contoso, cynthia, contoso.ben, directory=plain).values()) == {"[withheld]"}


def test_an_operator_sees_what_is_there_and_no_value(contoso: Forgetful) -> None:
    assert set(facts_of(contoso, OPERATOR, contoso.ben, directory=contoso.directory).values()) == {"[withheld]"}
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    assert set(facts_of(contoso, OPERATOR, contoso.ben, directory=contoso.directory).values()) == {"[erased]"}


def test_an_auditor_who_buys_knows_themselves_and_whom_a_grant_opens(contoso: Forgetful, cynthia: Actor) -> None:
    buyer = contoso.purchaser(cynthia.id)
    request, people = opened(contoso, buyer), [cynthia.id, contoso.ben]
    assert names(contoso, buyer, *people, directory=request) == {cynthia.id: "cynthia@contoso.com"}
    asked = ["cynthia@contoso.com", "ben@contoso.com"]
    assert request.member_ids(contoso.organization_id, asked) == {"cynthia@contoso.com": cynthia.id}
    assert reads(contoso) == []
    may_read(contoso, cynthia, subject_id=contoso.ben)
    request = opened(contoso, buyer)
    assert request.member_ids(contoso.organization_id, asked).keys() == set(asked)
    assert len(names(contoso, buyer, *people, directory=request)) == len(people)
    assert {one for read in reads(contoso) for one in read.subject_ids} == {contoso.ben}


def test_the_work_of_others_is_not_recorded(contoso: Forgetful) -> None:
    for actor in (contoso.admin, contoso.purchaser(contoso.melissa)):
        assert names(contoso, actor, contoso.ben, directory=contoso.directory)
        with pytest.raises(Refusal):
            facts_of(contoso, actor, contoso.ben, directory=contoso.directory)
    assert reads(contoso) == []
