"""The four questions that every operation answers: whether it was done, is allowed, tells what, on what it decided."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from threading import Barrier
from typing import Any, NamedTuple, TypeVar, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.envelope import Envelope, RecordedEvent, Role
from domain.payment import Payment
from domain.refusals import CommandIdReused, GuestMayNotBuy, MemberNotActive, NotAllowed, NotFound, Refusal
from services.command import Actor, Command
from services.grant_role import GrantRole
from services.ledger import Ledger
from services.ports import Receipt
from services.revoke_role import RevokeRole
from tests.examples import A_STRANGER
from tests.scenario import event
from tests.services.contoso import OPERATOR, Contoso, assert_refused, generated

T = TypeVar("T")
CommandBy = Callable[[Actor], Command]

# Already done?


def is_done_once(contoso: Contoso, command: Command, **other_content: Any) -> Receipt:
    """A repeat answers with the first receipt and tells nothing; other content under the same id is refused."""
    first = contoso.run(command)
    told = contoso.history()
    assert contoso.run(command) == first
    with contoso.refuses(CommandIdReused, command_id=str(command.command_id)):
        contoso.run(command.model_copy(update=other_content))
    assert contoso.history() == told
    return first


def stays_done(contoso: Contoso, command: Command, *meanwhile: Callable[[], object]) -> None:
    """Also when things have moved on, so that it would be refused or would tell something else now."""
    first = contoso.run(command)
    for happens in meanwhile:
        happens()
    told = contoso.history()
    assert contoso.run(command) == first
    assert contoso.history() == told


def has_one_effect(contoso: Contoso, command: Command, *, events: int, times: int = 16) -> None:
    """However often it is sent at the same time, all get the same answer."""
    before = len(contoso.history())
    answers = at_once(*[lambda: contoso.run(command)] * times)
    assert len(answers) == times
    assert set(answers) == {contoso.run(command)}
    assert len(contoso.history()) - before == events


# Allowed?


def takes_one_of(contoso: Contoso, allowed: set[Role], command_by: CommandBy) -> None:
    """Of all roles, exactly these; and a role is not had by claiming it."""
    for role in get_args(Role):
        actor = contoso.by(role)
        if role in allowed:
            contoso.run(command_by(actor))
            continue
        with contoso.refuses(NotAllowed):
            contoso.run(command_by(actor))
    for role in allowed & {"admin", "billing_reader", "auditor"}:
        with contoso.refuses(NotAllowed, action=f"act as {role}"):
            contoso.run(command_by(Actor(id=contoso.melissa, role=role)))


def takes_an_operator(catalog: Contoso, command_by: CommandBy) -> None:
    """The catalog is the house's own."""
    for role in set(get_args(Role)) - {"operator"}:
        with catalog.refuses(NotAllowed):
            catalog.run(command_by(Actor(id=A_STRANGER, role=role)))
    catalog.run(command_by(OPERATOR))


def belongs_to_the_catalog(command: Command) -> None:
    """It cannot be sent to a tenant, in whose history it would be told."""
    with pytest.raises(ValidationError, match="organization_id"):
        type(command)(**{**dict(command), "organization_id": uuid4()})


def takes_an_active_member(contoso: Contoso, another: Contoso, command_by: CommandBy, *, role: Role = "admin") -> None:
    """Strangers, people of another organization, guests and members who are not active do not act."""
    if role == "admin":
        ceases_to_be_an_admin(contoso, command_by)
    (guest,) = contoso.generates(1, "guest")
    contoso.deactivates(contoso.david)
    contoso.removes(contoso.cynthia)
    refusals: dict[UUID, type[Refusal]] = {
        A_STRANGER: NotFound,
        another.chris: NotFound,
        contoso.david: MemberNotActive,
        contoso.cynthia: MemberNotActive,
        guest: GuestMayNotBuy if role == "purchaser" else NotAllowed,
    }
    for actor_id, refusal in refusals.items():
        with contoso.refuses(refusal):
            contoso.run(command_by(Actor(id=actor_id, role=role)))


def ceases_to_be_an_admin(contoso: Contoso, command_by: CommandBy) -> None:
    """Between load and save: by losing the role, or by being deactivated."""
    (somebody,) = contoso.imports(generated(9_999))
    admin = Actor(id=somebody, role="admin")
    role = {"member_id": somebody, "role": "admin"}
    contoso.run(contoso.command(GrantRole, OPERATOR, **role))
    with refused_at_second_sight(contoso, contoso.running(RevokeRole, OPERATOR, **role), NotAllowed):
        contoso.run(command_by(admin))
    contoso.run(contoso.command(GrantRole, OPERATOR, **role))
    with refused_at_second_sight(contoso, lambda: contoso.deactivates(somebody), MemberNotActive):
        contoso.run(command_by(admin))


def belongs_to_its_purchaser(contoso: Contoso, another: Contoso, command_for: Callable[[Actor, UUID], Command]) -> None:
    """What was bought by self-service is its purchaser's alone; what was bought centrally also the admins'."""
    own = contoso.buys()
    elsewhere = another.buys()
    melissa = contoso.buyer
    with contoso.refuses(NotFound, key=str(own)):
        contoso.run(command_for(contoso.purchaser(contoso.ben), own))
    for role in set(get_args(Role)) - {"purchaser"}:
        actor = contoso.by(role)
        with contoso.refuses(NotAllowed):
            contoso.run(command_for(actor, own))
    for unknown in (elsewhere, uuid4()):
        with contoso.refuses(NotFound, key=str(unknown)):
            contoso.run(command_for(melissa, unknown))
    for actor in (contoso.admin, contoso.by("operator"), contoso.purchaser(contoso.ben)):
        contoso.run(command_for(actor, contoso.buys_centrally(contoso.ben)))
    of_ben = contoso.buys_centrally(contoso.ben)
    with contoso.refuses(NotFound, key=str(of_ben)):
        contoso.run(command_for(melissa, of_ben))
    takes_an_active_member(contoso, another, lambda actor: command_for(actor, own), role="purchaser")

    with decided_twice(contoso, contoso.running(GrantRole, OPERATOR, member_id=contoso.chris, role="auditor")):
        contoso.run(command_for(melissa, own))

    own = contoso.buys()
    with refused_at_second_sight(contoso, lambda: contoso.deactivates(contoso.melissa), MemberNotActive):
        contoso.run(command_for(melissa, own))
    with contoso.refuses(MemberNotActive, status="deactivated"):
        contoso.run(command_for(melissa, own))
    contoso.removes(contoso.melissa)
    with contoso.refuses(MemberNotActive, status="removed"):
        contoso.run(command_for(melissa, own))


# Told what?


class Save(NamedTuple):
    """What was recorded together: a step of a command, or, by `take_due_steps`, what follows from one."""

    command: str
    step: str
    events: list[Any]

    @property
    def told(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def saves_of(contoso: Contoso, command: Command) -> list[Save]:
    """All saves of a command, and those that it caused, in order."""

    def is_of(event: RecordedEvent) -> bool:
        return command.command_id in (event.envelope.command_id, event.envelope.causation_id)

    def save_of(event: RecordedEvent) -> tuple[UUID, str, str]:
        return event.envelope.command_id, event.envelope.command, event.envelope.step

    recorded = groupby(filter(is_of, contoso.history()), save_of)
    to_domain_event = contoso.ledger.mapper.to_domain_event
    return [Save(name, step, [to_domain_event(event) for event in events]) for (_, name, step), events in recorded]


def tells(contoso: Contoso, command: Command, *expected: event) -> Receipt:
    """Exactly these events with these facts answer the command, each in an envelope that says who, why and when.

    What is told before and after them are other saves of the command: of its payment, for most.
    """
    before = len(contoso.history())
    receipt = contoso.run(command)
    told = contoso.ledger.told(contoso.organization_id, receipt)
    assert told == list(expected)
    others = [event for event in contoso.history()[before:] if event not in contoso.recorded(receipt)]
    assert len(others) == sum(len(save.events) for save in saves_of(contoso, command)) - len(told)
    for index, recorded in enumerate(contoso.recorded(receipt)):
        assert recorded.envelope == Envelope(
            actor_id=command.actor.id,
            actor_role=command.actor.role,
            on_behalf_of=command.actor.on_behalf_of,
            command=command.name,
            command_id=command.command_id,
            step="",
            index=index,
            count=len(expected),
            correlation_id=command.correlation_id or command.command_id,
            causation_id=command.causation_id,
            occurred_at=contoso.now,
            effective_at=contoso.now,
        )
    return receipt


def tells_nothing(contoso: Contoso, command: Command) -> Receipt:
    """Carried out, and remembered as such, though there is nothing to tell."""
    receipt = tells(contoso, command)
    assert receipt.events == 0
    assert contoso.ledger.history.recorded(command.organization_id, command.command_id, "") == receipt
    return receipt


# Decided on what is still so?


@contextmanager
def just_before_the_save(ledger: Ledger, *happens: Callable[[], object], step: str = "") -> Iterator[list[None]]:
    """Lets things happen between loading and saving, one before each attempt; the answer counts the attempts.

    Of the save that answers a command, unless another of its steps is named.
    """
    append = ledger.history.append
    waiting = list(happens)
    attempts: list[None] = []
    undisturbed = False

    def interrupted(*args: Any, **about: Any) -> Receipt:
        nonlocal undisturbed
        if undisturbed or about["step"] != step or follows(about["metadata"]):
            return append(*args, **about)
        attempts.append(None)
        if waiting:
            undisturbed = True  # whoever comes between saves as usual
            waiting.pop(0)()
            undisturbed = False
        return append(*args, **about)

    ledger.history.append = interrupted  # type: ignore[method-assign]
    try:
        yield attempts
    finally:
        ledger.history.append = append  # type: ignore[method-assign]
    assert not waiting, "it was not saved as often as that"


def follows(metadata: Sequence[bytes]) -> bool:
    """Whether a save is of due steps, or of what became of what a command requested."""
    return bool(metadata) and Envelope.model_validate_json(metadata[0]).command == "take_due_steps"


@contextmanager
def decided_twice(contoso: Contoso, happens: Callable[[], object]) -> Iterator[None]:
    """What happens between load and save is a conflict: the command is decided again from a fresh load, and saved."""
    with just_before_the_save(contoso.ledger, happens) as attempts:
        yield
    assert len(attempts) == 2


@contextmanager
def refused_at_second_sight(
    contoso: Contoso, happens: Callable[[], object], refusal: type[Refusal], **facts: Any
) -> Iterator[None]:
    """Allowed when loaded, and no more when saved: refused, and only what came between was told.

    What was held for it meanwhile is let go of, which its payment tells.
    """
    before = contoso.history()
    came_between: list[RecordedEvent] = []

    def counted() -> None:
        already = contoso.history()
        happens()
        came_between.extend(contoso.history()[len(already) :])

    with just_before_the_save(contoso.ledger, counted) as attempts, pytest.raises(Refusal) as refused:
        yield
    assert_refused(refused.value, refusal, facts)
    assert len(attempts) == 1
    others = [event for event in contoso.history()[len(before) :] if event not in came_between]
    assert all(event.topic.startswith(f"{Payment.TOPIC}.") for event in others)
    assert not contoso.sandbox.holds()


def at_once(*acts: Callable[[], T]) -> list[T | Refusal]:
    """What each answers when all start at the same moment, each in a thread of its own; a refusal is an answer."""
    start = Barrier(len(acts))

    def act(do: Callable[[], T]) -> T | Refusal:
        start.wait()
        try:
            return do()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))
