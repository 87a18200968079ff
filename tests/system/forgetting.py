"""People with names that nobody else has, and where these may be found: what the tests of forgetting share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from adapters.composition import House
from adapters.kafka.cloud_event import message_of
from adapters.postgres.history_reads import HistoryReads
from adapters.settings import Settings
from domain.organization import OrganizationFacts, organization_id_of
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.buy_subscription import BuySubscription, buy_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.command import Actor
from services.create_organization import CreateOrganization, create_organization
from services.erase_personal_facts import ErasePersonalFacts, erase_personal_facts
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import Receipt
from services.remove_member import RemoveMember
from tests.services.contoso import MONTHLY, OPERATOR

FINGERPRINT_KEY = "5a" * 32
TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
)


def settings_of(url: str, home: Path, **more: Any) -> Settings:
    return Settings(database_url=SecretStr(url), fingerprint_key=SecretStr(FINGERPRINT_KEY), home=home, **more)


def canary(number: int, word: str = "canary") -> str:
    """A name of one person."""
    return f"{word}{number:04}x"


class Crowd:
    """An organization with as many people as one likes; those of `payers` bought something and were billed by name."""

    def __init__(self, house: House, people: int, payers: int) -> None:
        self.house = house
        handle = f"crowd-{uuid4().hex}"
        self.organization_id = organization_id_of(handle)
        founding = CreateOrganization(
            organization_id=self.organization_id,
            command_id=uuid4(),
            actor=OPERATOR,
            facts=OrganizationFacts(handle=handle, country="US", currency="USD", currency_exponent=2),
            first_admin=MemberRow(user_name="admin@contoso.example"),
        )
        create_organization(house.ledger, founding)
        self.admin = Actor(id=founding.first_admin_id, role="admin")
        self.people = [self._joined(range(start, min(start + 500, people))) for start in range(0, people, 500)]
        self.ids = [member_id for part in self.people for member_id in part]
        for number in range(payers):
            self._billed(number)

    def _joined(self, numbers: Sequence[int]) -> list[UUID]:
        names = [f"{canary(number)}@contoso.example" for number in numbers]
        rows = tuple(
            MemberRow(user_name=name, display_name=f"The {canary(number)}", department=f"of {canary(number)}")
            for number, name in zip(numbers, names, strict=True)
        )
        import_members(self.house.ledger, self.command(ImportMembers, rows=rows), self.house.directory)
        found = self.house.directory.member_ids(self.organization_id, names)
        return [found[name] for name in names]

    def _billed(self, number: int) -> None:
        """Paid with a card in their name, billed by a name of its own, and cancelled with a word about themselves."""
        house, me = self.house, Actor(id=self.ids[number], role="purchaser")
        token = f"tok_visa:{canary(number)}"
        adding = self.command(AddPaymentMethod, me, token=token, holder=f"H {canary(number)}", address=canary(number))
        add_payment_method(house.ledger, adding, house.till)
        opening = self.command(
            OpenBillingProfile,
            me,
            payment_method_id=adding.payment_method_id,
            bill_to=canary(number, "payer"),
            tax_id=canary(number, "payer"),
        )
        open_billing_profile(house.ledger, opening)
        buying = self.command(BuySubscription, me, offer_id=offer_id_of(MONTHLY), licenses=3)
        buy_subscription(house.ledger, buying, house.till)
        feedback = f"I am {canary(number)}"
        cancelling = self.command(
            CancelSubscription,
            me,
            subscription_id=buying.subscription_id,
            when="now",
            reason="other",
            feedback=feedback,
        )
        cancel_subscription(house.ledger, cancelling, house.till)

    def command(self, kind: Callable[..., Any], by: Actor | None = None, **content: Any) -> Any:
        facts = {"organization_id": self.organization_id, "command_id": uuid4(), "actor": by or self.admin}
        return kind(**facts | content)

    def leave(self, member_ids: Sequence[UUID]) -> None:
        """All of them, in one save: they hold no licenses and no roles."""
        ledger = self.house.ledger
        members = [ledger.member(self.organization_id, member_id) for member_id in member_ids]
        for member in members:
            member.remove()
        because = self.command(RemoveMember, member_id=member_ids[0])
        ledger.save(*members, because=because, at=ledger.now(*members))

    def erases(self, member_id: UUID) -> Receipt:
        erasing = self.command(ErasePersonalFacts, member_id=member_id, reason="asked_by_subject", what_may_go=True)
        return erase(self.house, erasing)


def erase(house: House, command: ErasePersonalFacts) -> Receipt:
    return erase_personal_facts(
        house.ledger,
        command,
        house.directory,
        house.billing_views,
        erasures=house.erasures,
        till=house.till,
        keep_years=house.settings.invoice_keep_years,
    )


def everything_in(url: str) -> Iterator[tuple[str, bytes]]:
    """What SQL can reach: every table as it is copied out, texts and bytes alike, and the planner's statistics."""
    with psycopg.connect(url) as connection:
        for schema, name in connection.execute(TABLES).fetchall():
            copying = SQL("COPY {} TO STDOUT (FORMAT binary)").format(Identifier(schema, name))
            with connection.cursor().copy(copying) as copy:
                yield f"{schema}.{name}", b"".join(bytes(part) for part in copy)
        yield "statistics", str(connection.execute("SELECT pg_stats::text FROM pg_stats").fetchall()).encode()


def messages_of(url: str) -> Iterator[tuple[str, bytes]]:
    """What the relay sends."""
    with HistoryReads(url) as reads:
        for stored in reads.stored():
            for event in stored.events:
                message = message_of(event, "/seatledger/test/1")
                yield f"message {event.position}", message.value + repr(message.headers).encode()


def files_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield f"{place}/{name}", (Path(place) / name).read_bytes()


def found_in(places: Iterator[tuple[str, bytes]], words: Sequence[str]) -> set[tuple[str, str]]:
    """Which of these words stand where."""
    return {(word, place) for place, content in places for word in words if word.encode() in content}
