from functools import partial

import pytest
from pydantic import ValidationError

from domain.member import Member
from domain.refusals import SaveTooLarge
from services import ledger as ledger_module
from services.command import Actor
from services.import_members import ImportMembers, MemberRow, folded
from services.ports import Receipt
from tests.scenario import event
from tests.services.contoso import CHRIS_ROW, THE_FIVE, THE_OTHER_FOUR, Contoso, generated
from tests.services.questions import (
    at_once,
    decided_twice,
    has_one_effect,
    is_done_once,
    just_before_the_save,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
    tells_nothing,
)

BEN_ROW = THE_OTHER_FOUR[0]


def an_import(contoso: Contoso, *rows: MemberRow, by: Actor | None = None) -> ImportMembers:
    return contoso.command(ImportMembers, by or contoso.admin, rows=rows)


def rows_of(count: int, first: int = 1) -> list[MemberRow]:
    return [generated(number) for number in range(first, first + count)]


def added(contoso: Contoso) -> list[Member.MemberAdded]:
    told = map(contoso.ledger.mapper.to_domain_event, contoso.history())
    return [one for one in told if isinstance(one, Member.MemberAdded)]


def test_who_is_new_is_added_with_names_beside_history(contoso: Contoso) -> None:
    importing = an_import(contoso, generated(1), generated(2, "guest"))
    receipt = tells(
        contoso, importing, event(Member.MemberAdded, kind="member"), event(Member.MemberAdded, kind="guest")
    )
    told, _ = contoso.ledger.told(contoso.organization_id, receipt)
    assert told.details.keys() == {"user_name", "display_name"}  # empty details are left out
    for purpose, ref in told.details.items():
        fact = contoso.kept(ref.fact_id)
        assert fact is not None
        assert (fact.subject_id, fact.purpose, fact.ref) == (told.originator_id, purpose, ref)
        assert fact.value in {"generated.0001@contoso.example", "Generated Member 0001"}


def test_the_same_file_again_tells_nothing(contoso: Contoso) -> None:
    tells_nothing(contoso, an_import(contoso, *THE_FIVE))


def test_what_differs_is_changed(contoso: Contoso) -> None:
    changed = BEN_ROW.model_copy(update={"job_title": "Analyst", "department": "Finance", "first_name": ""})
    receipt = tells(
        contoso,
        an_import(contoso, CHRIS_ROW, changed),
        event(Member.MemberDetailsChanged, originator_id=contoso.ben),
    )
    (told,) = contoso.ledger.told(contoso.organization_id, receipt)
    assert told.details.keys() == {"job_title", "department"}
    details = contoso.directory.details(contoso.organization_id, [contoso.ben])[contoso.ben]
    assert details == {
        "user_name": "ben@contoso.com",
        "first_name": "Ben",
        "last_name": "Andrews",
        "display_name": "Ben Andrews",
        "job_title": "Analyst",
        "department": "Finance",
    }
    tells_nothing(contoso, an_import(contoso, changed))
    tells(contoso, an_import(contoso, BEN_ROW), event(Member.MemberDetailsChanged))


def test_who_was_removed_is_restored(contoso: Contoso) -> None:
    contoso.removes(contoso.ben)
    changed = BEN_ROW.model_copy(update={"job_title": "Analyst"})
    tells(
        contoso,
        an_import(contoso, changed),
        event(Member.MemberRestored, originator_id=contoso.ben),
        event(Member.MemberDetailsChanged, originator_id=contoso.ben),
    )
    contoso.assigns(contoso.buys(), contoso.ben)


def test_who_was_deactivated_stays_so(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    tells_nothing(contoso, an_import(contoso, BEN_ROW))


def test_a_user_name_is_the_same_in_any_case(contoso: Contoso) -> None:
    shouted = BEN_ROW.model_copy(update={"user_name": "BEN@Contoso.COM"})
    tells_nothing(contoso, an_import(contoso, shouted))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("new@contoso.example", "NEW@Contoso.Example"),
        ("ÄNNE@contoso.example", "änne@contoso.example"),
        ("ΟΔΟΣ@contoso.example", "οδοσ@contoso.example"),
        ("İ@contoso.example", "i@contoso.example"),
    ],
)
def test_a_name_given_twice_is_one_member(contoso: Contoso, one: str, other: str) -> None:
    """Python and PostgreSQL agree on which names are the same; of two rows the last one counts."""
    assert folded(one) == folded(other)
    rows = (MemberRow(user_name=one, department="Sales"), MemberRow(user_name=other, department="Finance"))
    receipt = tells(contoso, an_import(contoso, *rows), event(Member.MemberAdded))
    (told,) = contoso.ledger.told(contoso.organization_id, receipt)
    assert contoso.directory.member_ids(contoso.organization_id, [one]) == {one: told.originator_id}
    assert contoso.directory.details(contoso.organization_id, [told.originator_id])[told.originator_id] == {
        "user_name": other,
        "department": "Finance",
    }
    tells(contoso, an_import(contoso, rows[0]), event(Member.MemberDetailsChanged))
    tells_nothing(contoso, an_import(contoso, *rows[::-1]))


def test_a_name_belongs_to_one_member_in_each_organization(contoso: Contoso, another: Contoso) -> None:
    assert contoso.ben != another.ben


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    importing = an_import(contoso, *rows_of(3))
    is_done_once(contoso, importing, rows=tuple(rows_of(4)))
    is_done_once(contoso, importing, actor=Actor(id=contoso.ben, role="admin"))  # would be refused anyway


def test_a_repeat_does_not_restore_nor_change_again(contoso: Contoso) -> None:
    importing = an_import(contoso, *rows_of(1))

    def moves_on() -> None:
        (member,) = contoso.imports(generated(1).model_copy(update={"department": "Sales"}))
        contoso.removes(member)

    stays_done(contoso, importing, moves_on)
    stays_done(contoso, an_import(contoso, BEN_ROW), partial(contoso.removes, contoso.ben))
    assert contoso.ledger.member(contoso.organization_id, contoso.ben).status == "removed"


def test_sixteen_at_once_import_once(contoso: Contoso) -> None:
    has_one_effect(contoso, an_import(contoso, *rows_of(10)), events=10)
    has_one_effect(contoso, an_import(contoso, *rows_of(10)), events=0)


@pytest.mark.parametrize("round_", range(3))
def test_the_same_file_at_once_adds_each_user_once(contoso: Contoso, round_: int) -> None:
    rows = rows_of(20, first=100 * round_)
    backwards = [row.model_copy(update={"user_name": row.user_name.upper()}) for row in reversed(rows)]
    answers = at_once(
        partial(contoso.run, an_import(contoso, *rows)),
        partial(contoso.run, an_import(contoso, *backwards)),
        partial(contoso.run, an_import(contoso, *rows[10:])),
    )
    assert all(isinstance(answer, Receipt) for answer in answers), answers
    names = [row.user_name for row in rows]
    assert contoso.directory.member_ids(contoso.organization_id, names).keys() == set(names)
    assert len(added(contoso)) == 5 + 20


def test_a_user_added_by_another_meanwhile_is_found(contoso: Contoso) -> None:
    """No version says so, for the member is not there yet: the user name is what is contested."""
    with decided_twice(contoso, partial(contoso.imports, generated(1))):
        receipt = contoso.run(an_import(contoso, generated(1), generated(2)))
    assert receipt.events == 1


def test_a_member_removed_meanwhile_is_restored(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.removes, contoso.ben)):
        receipt = contoso.run(an_import(contoso, BEN_ROW))
    assert contoso.ledger.told(contoso.organization_id, receipt) == [event(Member.MemberRestored)]


def test_details_changed_meanwhile_are_changed_back(contoso: Contoso) -> None:
    changes = partial(contoso.imports, BEN_ROW.model_copy(update={"department": "Finance"}))
    with decided_twice(contoso, changes):
        assert contoso.run(an_import(contoso, BEN_ROW)).events == 1
    details = contoso.directory.details(contoso.organization_id, [contoso.ben])[contoso.ben]
    assert details["department"] == "Information Technology"


def test_imports_of_others_meanwhile_are_no_conflict(contoso: Contoso) -> None:
    with just_before_the_save(contoso.ledger, partial(contoso.imports, *rows_of(3))) as attempts:
        contoso.run(an_import(contoso, *rows_of(3, first=10)))
    assert len(attempts) == 1


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: an_import(contoso, generated(1), by=actor))
    takes_an_active_member(contoso, another, lambda actor: an_import(contoso, generated(2), by=actor))


def test_all_rows_or_none(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    importing = an_import(contoso, *rows_of(4))
    with monkeypatch.context() as less_room:
        less_room.setattr(ledger_module, "EVENTS_PER_SAVE", 3)
        with contoso.refuses(SaveTooLarge, events=4):
            contoso.run(importing)
    assert contoso.directory.member_ids(contoso.organization_id, [generated(1).user_name]) == {}
    assert contoso.run(importing).events == 4


def test_a_thousand_rows_are_one_command(contoso: Contoso) -> None:
    with pytest.raises(ValidationError, match="rows"):
        an_import(contoso, *rows_of(1_001))
    with pytest.raises(ValidationError, match="rows"):
        an_import(contoso)
    assert contoso.run(an_import(contoso, *rows_of(1_000))).events == 1_000


def test_names_are_in_no_error_and_no_repr(contoso: Contoso) -> None:
    with pytest.raises(ValidationError) as refused:
        MemberRow(user_name="ben@contoso.com", display_name="Ben Andrews\0")
    assert "Andrews" not in str(refused.value)
    assert "Andrews" not in repr(an_import(contoso, BEN_ROW))
    assert "ben@" not in repr(an_import(contoso, BEN_ROW))
