"""privacy erase, privacy export, privacy replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from adapters.cli.answer import Answer, as_text, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.find import find_member
from adapters.cli.groups import privacy
from adapters.cli.parse import uuid_from
from adapters.cli.verb import verb
from adapters.cli.write_file import write_file
from domain.member import Member
from domain.personal import ErasureReason
from services.erase_personal_facts import ErasePersonalFacts, erase_personal_facts
from services.export_personal_facts import ExportParts, ExportPersonalFacts, export_personal_facts

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="The person: a user name or a member id.")]


def find_subject(call: Call, words: str) -> UUID:
    """A member by id, or by user name as long as there is one."""
    _ = call.organization, call.actor
    return uuid_from(words) or find_member(call, words)


@verb(privacy, "erase", role="admin", command=True)
def erase(
    call: Call,
    subject: Subject,
    reason: Annotated[ErasureReason, typer.Option("--reason", help="Why, as a code: texts may name somebody.")],
    what_may_go: Annotated[
        bool, typer.Option("--what-may-go", help="Erases the rest where some must be kept, instead of nothing.")
    ] = False,
) -> Answer:
    """Erases what is known of a person who was removed; history says what went, by whom and why.

    Refused with the date while an issued invoice must be kept that is made out to them. Their stored cards go too, here
    and at the provider.

    Example: `seatledger privacy erase ben@contoso.com --reason asked_by_subject --org contoso --as chris@contoso.com`
    """
    member_id = find_subject(call, subject)
    house = call.house
    command = call.wish(ErasePersonalFacts, member_id=member_id, reason=reason, what_may_go=what_may_go)
    receipt = erase_personal_facts(
        house.ledger,
        command,
        house.directory,
        house.billing_views,
        erasures=house.erasures,
        till=call.till,
        keep_years=house.settings.invoice_keep_years,
    )
    told = house.ledger.told(call.organization_id, receipt) if receipt.events else []
    erasures = [event for event in told if isinstance(event, Member.PersonalDataErased)]
    erased = sum(len(event.erased) for event in erasures)
    kept = [fact for event in erasures for fact in event.kept]
    cleared = house.erasures.vacuum() if erased else True
    done = f"{plural(erased, 'personal fact')} of {member_id} erased"
    answer = call.answer(receipt, done, member_id=member_id, erased=erased, kept=kept, vacuumed=cleared)
    shown: list[Any] = [answer.shown]
    if kept:
        rows = [(fact.purpose, fact.keep_until, fact.number or "") for fact in kept]
        shown.append(table("Kept for now", ("what", "until", "document"), rows))
    if not cleared:
        shown.append("the table could not be vacuumed now; autovacuum does it later (docs/privacy.md)")
    return Answer(answer.data, shown)


@verb(privacy, "export", role="admin", otherwise="purchaser", command=True)
def export(
    call: Call,
    subject: Subject,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Writes it there. Default: stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrites the file.")] = False,
) -> Answer:
    """Exports all that is known of a person as one JSON document: by who answers requests, or by themselves.

    That it was exported is recorded. Values come with the salts by which `audit disclose` checks them, also later.

    Example: `seatledger privacy export ben@contoso.com --to ben.json --org contoso --as chris@contoso.com`
    """
    house = call.house
    command = call.wish(ExportPersonalFacts, member_id=find_subject(call, subject))
    parts = ExportParts(
        register=house.directory,
        purchases=house.views,
        billing=house.billing_views,
        invoices=house.invoice_views,
        holdings=house.holdings,
    )
    found = export_personal_facts(house.ledger, command, parts)
    data = found.model_dump(mode="json")
    if to is None:
        return Answer(data, as_text(data, indent=2))
    write_file(to, as_text(data, indent=2).encode(), force=force)
    done = {"member_id": found.member_id, "position": found.position, "file": str(to), "facts": len(found.facts)}
    return Answer(done, f"{plural(len(found.facts), 'personal fact')} of {found.member_id} written to {to}")


@verb(privacy, "replay", role=OPERATOR, org=False)
def replay(
    call: Call,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Makes a list that is lost of what history knows of it.")
    ] = False,
) -> Answer:
    """Carries out every erasure of the list once more, on a database that a backup may have brought back.

    Each start does it by itself for what is new to the database; this looks at every line.

    Example: `seatledger privacy replay`
    """
    call.refuse_members()
    erasures = call.house.erasures
    done = erasures.rebuild() if rebuild else erasures.replay()
    data = {"list": str(erasures.file.path), **done._asdict()}
    what = f"{plural(done.erasures, 'erasure')} of {erasures.file.path} carried out"
    return Answer(data, f"{what}; {plural(done.facts, 'personal fact')} {'was' if done.facts == 1 else 'were'} back")
