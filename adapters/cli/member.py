"""member: import, list, deactivate, reactivate, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid5

import typer

from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import Call
from adapters.cli.find import find_member
from adapters.cli.groups import members
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from adapters.directory.microsoft_365 import read_members
from services.deactivate_member import DeactivateMember, deactivate_member
from services.import_members import ImportMembers, import_members
from services.list_members import ListMembers, list_members
from services.reactivate_member import ReactivateMember, reactivate_member
from services.remove_member import RemoveMember, remove_member

ROWS_OF_A_COMMAND = 500

UserName = Annotated[str, typer.Argument(metavar="USER_NAME", help="The member.")]


@verb(members, "import", role="admin", command=True)
def import_file(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="In the Microsoft 365 bulk format.")],
) -> Answer:
    """Imports members from a Microsoft 365 bulk CSV file; a bad file is refused whole, with row and column.

    Who is new is added, who was removed is restored, and what differs is changed; importing a file again changes
    nothing. An interrupted import is completed by repeating it.

    Example: `seatledger member import adapters/directory/contoso_users.csv --org contoso --as chris@contoso.com`
    """
    rows = read_members(file)
    _ = call.actor  # an unknown user or organization is told before anything starts
    changed = 0
    with told_progress("imported", "members", len(rows)) as advance:
        for number, first in enumerate(range(0, len(rows), ROWS_OF_A_COMMAND)):
            part = rows[first : first + ROWS_OF_A_COMMAND]
            # Each part has its own id, made from the run's: what was recorded before an interruption is not repeated.
            command_id = call.command_id if number == 0 else uuid5(call.command_id, f"part:{number}")
            command = call.wish(ImportMembers, rows=part).model_copy(
                update={"command_id": command_id, "correlation_id": call.command_id}
            )
            receipt = import_members(call.house.ledger, command, call.house.directory)
            changed += receipt.events
            advance(len(part))
    data = {
        "command_id": call.command_id,
        "organization_id": call.organization_id,
        "position": receipt.position,
        "members": len(rows),
        "guests": sum(row.kind == "guest" for row in rows),
        "events": changed,
    }
    done = f"{plural(changed, 'event')} recorded" if changed else "nothing to change"
    return Answer(data, f"{plural(len(rows), 'member')} read from {file}; {done}")


@verb(members, "list", role="purchaser")
def show(
    call: Call,
    name: Annotated[
        str, typer.Option(metavar="PREFIX", help="Only whose user name, first, last or whole name begins so.")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
) -> Answer:
    """Lists members by name.

    Example: `seatledger member list --name cyn --org contoso --as chris@contoso.com`
    """
    found = list_members(call.house.ledger, call.house.directory, call.wish(ListMembers, name=name, limit=limit))
    data = [
        {
            "member_id": member.member_id,
            "user_name": member.details.get("user_name"),
            "display_name": member.details.get("display_name"),
            "kind": member.kind,
            "status": member.status,
            "roles": list(member.roles),
        }
        for member in found
    ]
    rows = [
        (
            one["user_name"] or one["member_id"],
            one["display_name"] or "",
            one["kind"],
            one["status"],
            ", ".join(member.roles),
        )
        for one, member in zip(data, found, strict=True)
    ]
    return Answer({"members": data}, table("Members", ("user name", "name", "kind", "status", "roles"), rows))


@verb(members, "deactivate", role="admin", command=True)
def deactivate(call: Call, user_name: UserName) -> Answer:
    """Deactivates a member, who keeps licenses and gets no new ones.

    Example: `seatledger member deactivate ben@contoso.com --org contoso --as chris@contoso.com`
    """
    command = call.wish(DeactivateMember, member_id=find_member(call, user_name))
    return call.answer(deactivate_member(call.house.ledger, command), f"{user_name} is deactivated")


@verb(members, "reactivate", role="admin", command=True)
def reactivate(call: Call, user_name: UserName) -> Answer:
    """Reactivates a member, who can act and get licenses again.

    Example: `seatledger member reactivate ben@contoso.com --org contoso --as chris@contoso.com`
    """
    command = call.wish(ReactivateMember, member_id=find_member(call, user_name))
    return call.answer(reactivate_member(call.house.ledger, command), f"{user_name} is active")


@verb(members, "remove", role="admin", command=True)
def remove(call: Call, user_name: UserName) -> Answer:
    """Removes a member: roles end, and their licenses are free at once.

    Example: `seatledger member remove ben@contoso.com --org contoso --as chris@contoso.com`
    """
    command = call.wish(RemoveMember, member_id=find_member(call, user_name))
    receipt = remove_member(call.house.ledger, command, call.house.holdings)
    return call.answer(receipt, f"{user_name} is removed; {plural(receipt.events, 'license')} freed")
