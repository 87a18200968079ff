"""Contoso with what forgetting takes: the stored cards by history, and a list of erasures in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from uuid import UUID

from adapters.postgres.directory import PersonalDirectory
from domain.billing_profile import BillingProfile
from domain.payment_method import PaymentMethod
from services.command import Command
from services.erase_personal_facts import ErasePersonalFacts, erase_personal_facts
from services.ports import Receipt
from services.ports_privacy import Erasure
from services.ports_reads import BillingViews
from tests.services.contoso import Contoso
from tests.services.crash import Crash

KEEP_YEARS = 10


class Stored(NamedTuple):
    payment_method_id: UUID


class Owned(NamedTuple):
    billing_profile_id: UUID
    owner_id: UUID


class BillingOfHistory:
    """A member's stored cards and profiles, read from the whole history."""

    def __init__(self, contoso: Contoso) -> None:
        self.contoso = contoso

    def payment_methods(self, _: UUID, owner_id: UUID, *, after: UUID | None, at_least: int) -> Sequence[Stored]:
        assert after is None
        assert self.contoso.history()[-1].position >= at_least
        every = self.contoso.every(PaymentMethod)
        return [Stored(method.id) for method in every if method.owner_id == owner_id and not method.removed]

    def profiles(self, _: UUID, *, seen_by: UUID, after: UUID | None, at_least: int) -> Sequence[Owned]:
        assert self.contoso.history()[-1].position >= at_least
        every = sorted(self.contoso.every(BillingProfile), key=lambda one: one.id)
        seen = [one for one in every if one.owner_id == seen_by or seen_by in one.roles]
        return [Owned(one.id, one.owner_id) for one in seen if after is None or one.id > after]


@dataclass
class ListInMemory:
    """What would stand on the list: erasures that were meant, and those that were done, with their positions."""

    meant: list[Erasure] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    dies: bool = False  # before it can say that something is done
    caught_up: int = 0

    @contextmanager
    def meaning(self, erasure: Erasure) -> Iterator[ListInMemory]:
        self.meant.append(erasure)
        yield self

    def catch_up(self) -> None:
        self.caught_up += 1

    def done(self, position: int) -> None:
        if self.dies:
            raise Crash
        self.positions.append(position)


@dataclass
class Forgetful(Contoso):
    """A Contoso that can forget its people."""

    erasures: ListInMemory = field(default_factory=ListInMemory, init=False)

    @property
    def register(self) -> PersonalDirectory:
        return cast("PersonalDirectory", self.directory)

    def run(self, command: Command) -> Receipt:
        if not isinstance(command, ErasePersonalFacts):
            return super().run(command)
        return erase_personal_facts(
            self.ledger,
            command,
            self.register,
            cast("BillingViews", BillingOfHistory(self)),
            erasures=self.erasures,
            till=self.till,
            keep_years=KEEP_YEARS,
        )

    def an_erasure(self, member_id: UUID, **content: Any) -> ErasePersonalFacts:
        content = {"member_id": member_id, "reason": "asked_by_subject", **content}
        return self.command(ErasePersonalFacts, self.admin, **content)

    def recorded_receipt(self, command: Command) -> Receipt:
        """What a command left behind."""
        receipt = self.ledger.answer_of(command)
        assert receipt is not None
        return receipt

    def known_of(self, member_id: UUID) -> dict[str, str]:
        """The facts about a member, by purpose."""
        found = self.register.of_subject(self.organization_id, member_id)
        return {stored.fact.purpose: stored.fact.value for stored in found}
