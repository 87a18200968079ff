"""audit grant, audit revoke, audit grants, audit facts, audit disclose: personal facts and who may read them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.cli.answer import Answer, moment, table
from adapters.cli.audit import IdArgument, aggregate_id_from
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_member
from adapters.cli.groups import audit
from adapters.cli.parse import moment_from, uuid_from
from adapters.cli.privacy import find_subject
from adapters.cli.verb import verb
from domain.auditor_access import AccessPurpose
from services.disclose_fact import DiscloseFact, disclose_fact
from services.grant_access import GrantAccess, grant_access
from services.list_access_grants import ListAccessGrants, list_access_grants
from services.read_facts import read_facts
from services.read_history import ReadHistory
from services.revoke_access import RevokeAccess, revoke_access

Auditor = Annotated[str, typer.Argument(metavar="AUDITOR", help="The auditor's user name.")]


@verb(audit, "grant", role="admin", command=True)
def grant(
    call: Call,
    auditor: Auditor,
    purpose: Annotated[AccessPurpose, typer.Option("--purpose", help="What for.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When it ends; at most 366 days from now.")],
    subject: Annotated[
        str | None, typer.Option("--subject", help="Opens one person alone. Default: everybody.")
    ] = None,
) -> Answer:
    """Lets an auditor read names, addresses and tax ids, for a purpose and until a time; each reading is recorded.

    Example: `seatledger audit grant cynthia@contoso.com --purpose tax_audit --until 2026-12-31 --org contoso --as
    chris@contoso.com`
    """
    command = call.wish(
        GrantAccess,
        auditor_id=find_member(call, auditor),
        purpose=purpose,
        ends_at=moment_from(until, "--until"),
        subject_id=find_subject(call, subject) if subject else None,
    )
    receipt = grant_access(call.house.ledger, command)
    shown = f"{auditor} may read until {moment(command.ends_at)}: grant {command.grant_id}"
    return call.answer(receipt, shown, grant_id=command.grant_id)


@verb(audit, "revoke", role="admin", command=True)
def revoke(
    call: Call,
    auditor: Auditor,
    grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id, as `audit grants` shows it.")],
) -> Answer:
    """Ends a grant before its time.

    Example: `seatledger audit revoke cynthia@contoso.com GRANT --org contoso --as chris@contoso.com`
    """
    command = call.wish(RevokeAccess, auditor_id=find_member(call, auditor), grant_id=id_from(grant_id, "GRANT"))
    return call.answer(revoke_access(call.house.ledger, command), f"grant {grant_id} has ended")


@verb(audit, "grants", role="admin", otherwise="auditor")
def grants(call: Call) -> Answer:
    """Lists who may read personal facts, for what and until when; an auditor sees their own.

    Example: `seatledger audit grants --org contoso --as chris@contoso.com`
    """
    found = list_access_grants(call.house.ledger, call.wish(ListAccessGrants))
    rows = [
        (
            one.grant_id,
            one.auditor_id,
            one.purpose,
            one.subject_id or "everybody",
            moment(one.ends_at),
            "open" if one.open else "revoked" if one.revoked else "ended",
        )
        for one in found
    ]
    columns = ("grant", "auditor", "purpose", "whom", "until", "state")
    return Answer({"grants": [one.model_dump() for one in found]}, table("Grants", columns, rows))


@verb(audit, "facts", role="auditor")
def facts(call: Call, aggregate: IdArgument) -> Answer:
    """Reads the personal facts that a thing's history refers to: their values, `[erased]`, or `[withheld]`.

    An auditor needs a grant (`audit grant`), and that they read is recorded before they are shown.

    Example: `seatledger audit facts MEMBER_ID --org contoso --as cynthia@contoso.com`
    """
    query = call.wish(ReadHistory, aggregate_id=aggregate_id_from(aggregate))
    found = read_facts(call.house.ledger, call.directory, query)
    rows = [(one.position, one.event, one.field, one.value, one.fact_id) for one in found]
    data = {"facts": [one.model_dump() for one in found]}
    return Answer(data, table("Personal facts", ("position", "event", "field", "value", "fact"), rows))


@verb(audit, "disclose", role="auditor")
def disclose(
    call: Call,
    fact: Annotated[str, typer.Option("--fact", metavar="FACT_ID", help="The fact, as an export names it.")],
    salt: Annotated[str, typer.Option("--salt", metavar="HEX", help="The salt, as an export has it.")],
    value_file: Annotated[
        Path, typer.Option("--value-file", metavar="FILE", help="Where the value stands, byte for byte; `-`: stdin.")
    ],
) -> Answer:
    """Checks a value that somebody kept against what history committed to, also after it was erased.

    The exit code is 1 where it is not the value. Nothing of it is kept.

    Example: `seatledger audit disclose --fact FACT_ID --salt HEX --value-file name.txt --org contoso --as operator`
    """
    query = call.wish(DiscloseFact, fact_id=id_from(fact, "--fact"), value=value_in(value_file), salt=salt.lower())
    found = disclose_fact(call.house.ledger, call.house.directory, query)
    verdict = "is" if found.matches else "is NOT"
    where = f"{found.event} of {found.aggregate_id} at position {found.position}"
    shown = f"it {verdict} the value that {where} committed to"
    return Answer(found.model_dump(), shown, exit_code=0 if found.matches else 1)


def value_in(path: Path) -> str:
    """A text as it stands in a file, or on stdin."""
    written = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return written.decode()
    except UnicodeDecodeError:
        raise BadInput("--value-file holds no text in UTF-8; write the value as the export has it") from None


def id_from(words: str, what: str) -> UUID:
    if (found := uuid_from(words)) is None:
        raise BadInput(f"{what} {words!r} is no id; write the whole UUID")
    return found
