"""Personal facts beside the ledger: written with their events, found by name, unique where they must be."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.directory import MEMBER_IDS, SEARCH
from adapters.postgres.ledger import directory_of
from domain.member import Member
from domain.personal import PersonalFact, Purpose
from domain.refusals import UnstorableText
from services.ledger import Ledger
from services.ports import AlreadyRecorded, VersionConflict
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_change, a_pool, save

LONG_TEXTS = {
    "Latin": "ä" * 2_000,
    "Devanagari": "मानक हिन्दी " * 166,
    "Han": "許可證管理員" * 333,
    "Arabic": "ترخيص البرنامج " * 133,
    "emoji": "👩🏽‍💻" * 500,
}


def a_fact(subject_id: UUID, purpose: Purpose, value: str) -> PersonalFact:
    return PersonalFact(fact_id=uuid4(), subject_id=subject_id, purpose=purpose, value=value, salt="5a" * 32)


def named(ledger: Ledger, organization_id: UUID, user_name: str, **names: str) -> Member:
    """A member with these names."""
    member_id = uuid4()
    facts = [a_fact(member_id, "user_name", user_name)]
    facts += [a_fact(member_id, "display_name", value) for value in names.values()]
    member = Member.add(id=member_id, kind="member", details={fact.purpose: fact.ref for fact in facts})
    ledger.save(member, because=a_change(organization_id), at=ledger.now(), facts=facts)
    return member


def renamed(ledger: Ledger, organization_id: UUID, member: Member, user_name: str) -> None:
    fact = a_fact(member.id, "user_name", user_name)
    member.change_details({"user_name": fact.ref})
    ledger.save(member, because=a_change(organization_id), at=ledger.now(), facts=[fact])


def test_they_are_written_with_the_events_or_not_at_all(ledger: Ledger, admin: Admin) -> None:
    organization_id, fact = uuid4(), a_fact(uuid4(), "feedback", "too dear")
    command = a_change(organization_id)
    save(ledger, a_pool(), organization_id=organization_id, because=command, facts=[fact])
    other = a_fact(uuid4(), "feedback", "too dear")
    with pytest.raises(AlreadyRecorded):
        save(ledger, a_pool(), organization_id=organization_id, because=command, facts=[other])
    with pytest.raises(psycopg.errors.UniqueViolation) as defect:  # never retried: an id is used once
        save(ledger, a_pool(), organization_id=organization_id, facts=[fact])
    assert "too dear" not in str(defect.value)
    assert str(fact.fact_id) not in str(defect.value)
    assert admin.execute("SELECT count(*) FROM ledger.personal_facts").fetchone() == (1,)
    assert admin.execute("SELECT count(*) FROM ledger.events").fetchone() == (1,)


@pytest.mark.parametrize("purpose", ["feedback", "user_name", "display_name", "job_title"])
@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS.keys())
def test_two_thousand_characters_of_any_script_are_kept(ledger: Ledger, purpose: Purpose, text: str) -> None:
    organization_id, fact = uuid4(), a_fact(uuid4(), purpose, text)
    save(ledger, a_pool(), organization_id=organization_id, facts=[fact])
    kept = directory_of(ledger).details(organization_id, [fact.subject_id]).get(fact.subject_id, {})
    assert kept == ({} if purpose == "feedback" else {purpose: text})


def test_a_nul_character_is_refused_before_anything_is_sent(ledger: Ledger, admin: Admin) -> None:
    organization_id = uuid4()
    with pytest.raises(UnstorableText, match="feedback contains a NUL"):
        save(ledger, a_pool(), organization_id=organization_id, facts=[a_fact(uuid4(), "feedback", "too\0dear")])
    assert admin.execute("SELECT count(*) FROM ledger.commands").fetchone() == (0,)
    assert directory_of(ledger).member_ids(organization_id, ["chris\0"]) == {}
    assert directory_of(ledger).search(organization_id, "chris\0", 10) == []


def test_members_are_found_by_user_name_whatever_its_case(ledger: Ledger) -> None:
    organization_id = uuid4()
    chris = named(ledger, organization_id, "Chris@Contoso.com")
    sigma = named(ledger, organization_id, "ΌΣΟΣ@contoso.com")
    named(ledger, uuid4(), "chris@contoso.com")  # of another organization
    found = directory_of(ledger).member_ids(
        organization_id, ["CHRIS@contoso.com", "ben@contoso.com", "όσοσ@contoso.com"]
    )
    assert found == {"CHRIS@contoso.com": chris.id, "όσοσ@contoso.com": sigma.id}


def test_the_newest_name_is_the_current_one_and_the_old_one_is_free(ledger: Ledger) -> None:
    organization_id, directory = uuid4(), directory_of(ledger)
    chris = named(ledger, organization_id, "chris@contoso.com")
    renamed(ledger, organization_id, chris, "chris.green@contoso.com")
    assert directory.member_ids(organization_id, ["chris@contoso.com"]) == {}
    assert directory.details(organization_id, [chris.id]) == {chris.id: {"user_name": "chris.green@contoso.com"}}
    another = named(ledger, organization_id, "chris@contoso.com")
    assert directory.member_ids(organization_id, ["chris@contoso.com"]) == {"chris@contoso.com": another.id}
    renamed(ledger, organization_id, chris, "green@contoso.com")
    renamed(ledger, organization_id, chris, "chris.green@contoso.com")  # one's own old name may be taken again
    assert directory.details(organization_id, [chris.id])[chris.id]["user_name"] == "chris.green@contoso.com"


def test_a_user_name_that_another_import_took_is_a_conflict_with_its_member(ledger: Ledger) -> None:
    organization_id = uuid4()
    chris = named(ledger, organization_id, "chris@contoso.com")
    with pytest.raises(VersionConflict) as conflict:
        named(ledger, organization_id, "CHRIS@CONTOSO.COM")
    assert conflict.value.originator_id == chris.id
    assert "chris" not in str(conflict.value)
    named(ledger, uuid4(), "chris@contoso.com")  # another organization has its own


def test_one_save_cannot_give_a_user_name_to_two(ledger: Ledger) -> None:
    facts = [a_fact(uuid4(), "user_name", name) for name in ("chris@contoso.com", "Chris@contoso.com")]
    with pytest.raises(psycopg.errors.UniqueViolation):
        save(ledger, a_pool(), organization_id=uuid4(), facts=facts)


def test_members_are_searched_by_the_beginning_of_any_name(ledger: Ledger) -> None:
    organization_id, directory = uuid4(), directory_of(ledger)
    chris = named(ledger, organization_id, "chris@contoso.com", display="Chris Green")
    cynthia = named(ledger, organization_id, "cynthia@contoso.com", display="Cynthia Carey")
    percent = named(ledger, organization_id, "100%@contoso.com")
    assert directory.search(organization_id, "C", 10) == [chris.id, cynthia.id]
    assert directory.search(organization_id, "c", 1) == [chris.id]
    assert directory.search(organization_id, "CYNTHIA C", 10) == [cynthia.id]
    assert directory.search(organization_id, "100%", 10) == [percent.id]
    assert directory.search(organization_id, "%", 10) == []


def test_an_erased_fact_is_left_out(ledger: Ledger, admin: Admin) -> None:
    organization_id = uuid4()
    chris = named(ledger, organization_id, "chris@contoso.com")
    admin.execute("SET ROLE seatledger_owner")
    admin.execute("DELETE FROM ledger.personal_facts WHERE subject_id = %s", (chris.id,))
    assert directory_of(ledger).details(organization_id, [chris.id]) == {}
    assert directory_of(ledger).member_ids(organization_id, ["chris@contoso.com"]) == {}
    assert ledger.member(organization_id, chris.id).details == chris.details


def test_names_are_looked_up_in_the_index_also_before_the_table_was_ever_analyzed(ledger: Ledger, admin: Admin) -> None:
    organization_id = uuid4()
    facts = [a_fact(uuid4(), "user_name", f"generated.{i:04}@contoso.example") for i in range(1_000)]
    save(ledger, a_pool(), organization_id=organization_id, facts=facts)
    for query, parameters in (
        (MEMBER_IDS, (["generated.0001@contoso.example"], organization_id)),
        (SEARCH, (organization_id, "generated.00", 10)),
    ):
        plan = "\n".join(line for (line,) in admin.execute("EXPLAIN " + query.replace("%b", "%s"), parameters))
        lookup = plan[plan.index("personal_facts_name") :]
        assert "Index Cond: ((organization_id = " in lookup
        assert "THEN" in lookup[: lookup.index("Filter")], "the name is no part of the index condition"
        assert "Seq Scan" not in plan
