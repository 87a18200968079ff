"""Import members: rows of a directory become members, or change what is known of them."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.kernel import Value
from domain.member import Kind, Member
from domain.personal import FactRef, PersonalFact, Purpose
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Directory, Receipt

Detail = Annotated[Text, Field(max_length=256)]


class MemberRow(Value):
    """One person of a directory, as the organization names them; empty details are left out."""

    model_config = ConfigDict(hide_input_in_errors=True)

    user_name: Annotated[Text, Field(min_length=1, max_length=256)]
    kind: Kind = "member"
    display_name: Detail = ""
    first_name: Detail = ""
    last_name: Detail = ""
    job_title: Detail = ""
    department: Detail = ""

    @property
    def details(self) -> dict[Purpose, str]:
        named: dict[Purpose, str] = {
            "user_name": self.user_name,
            "display_name": self.display_name,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "job_title": self.job_title,
            "department": self.department,
        }
        return {purpose: value for purpose, value in named.items() if value}


class ImportMembers(Command):
    """A part of a directory; a long one comes in several commands."""

    rows: tuple[MemberRow, ...] = Field(min_length=1, max_length=1_000, repr=False)


@operation
def import_members(ledger: Ledger, command: ImportMembers, directory: Directory) -> Receipt:
    """Adds who is new, restores who was removed, changes what differs; all rows or none.

    A user name that a concurrent import adds first makes the save a conflict, and the next attempt sees it.
    """
    standing = standing_of(ledger, command)
    may(command.actor, "manage members")
    rows = {folded(row.user_name): row for row in command.rows}.values()  # of a name given twice, the last row
    known = directory.member_ids(command.organization_id, [row.user_name for row in rows])
    members = ledger.members(command.organization_id, list(known.values()))
    values = directory.details(command.organization_id, list(known.values()))
    told: list[Member] = []
    facts: list[PersonalFact] = []
    for index, row in enumerate(rows):
        member = members[known[row.user_name]] if row.user_name in known else None
        if member and "user_name" not in values.get(member.id, {}):  # erased since the name was looked up
            member = None
        if member is None:
            member, changed = add_member(ledger, command, index, row)
        else:
            member.restore()
            differing = changed_details(row, values.get(member.id, {}))
            changed = facts_of(ledger, command, index, member.id, differing)
            member.change_details(refs(changed))
        told.append(member)
        facts.extend(changed)
    return ledger.save(*told, seen=standing.seen, facts=facts, because=command, at=ledger.now(*told))


def folded(user_name: str) -> str:
    """The name without its case, letter by letter: the same names are one for the directory."""
    return "".join(letter.lower()[0] for letter in user_name)


def add_member(ledger: Ledger, command: Command, index: int, row: MemberRow) -> tuple[Member, list[PersonalFact]]:
    """A new member, and the personal facts that go with it."""
    member_id = command.new_id(f"member:{index}")
    facts = facts_of(ledger, command, index, member_id, row.details)
    return Member.add(id=member_id, kind=row.kind, details=refs(facts)), facts


def changed_details(row: MemberRow, known: Mapping[Purpose, str]) -> dict[Purpose, str]:
    """The details of a row that differ from what is known; the user name stays as it is."""
    return {
        purpose: value
        for purpose, value in row.details.items()
        if purpose != "user_name" and known.get(purpose) != value
    }


def facts_of(
    ledger: Ledger, command: Command, index: int, member_id: UUID, details: Mapping[Purpose, str]
) -> list[PersonalFact]:
    return [
        ledger.fact(command, f"{index}:{purpose}", subject_id=member_id, purpose=purpose, value=value)
        for purpose, value in details.items()
    ]


def refs(facts: list[PersonalFact]) -> dict[Purpose, FactRef]:
    return {fact.purpose: fact.ref for fact in facts}
