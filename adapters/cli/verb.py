"""What all verbs share: their common options, one run of them, and how it ends."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any, Concatenate, Literal, ParamSpec
from uuid import UUID, uuid4

import typer

from adapters.cli.answer import Answer, as_text, tell
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import Failure, failure_of
from adapters.cli.naming import with_user_names
from adapters.cli.parse import command_id_from
from adapters.composition import House
from adapters.logs import log_to_stderr
from adapters.settings import Settings, read_settings
from domain.envelope import Role
from domain.refusals import Refusal

P = ParamSpec("P")

MemberRole = Literal["purchaser", "admin", "billing_reader", "auditor"]

SHARED = ("handle", "user_name", "as_role", "command_id")
# Failures after which the same command is sent again.
AGAIN = {"unavailable", "interrupted", "payment_action_required", "payment_outcome_unknown"}

COMMON = "Common options"
OrgOption = Annotated[
    str | None,
    typer.Option("--org", envvar="SEATLEDGER_ORG", metavar="HANDLE", help="The organization.", rich_help_panel=COMMON),
]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="SEATLEDGER_AS",
        metavar="USER_NAME",
        help="Who acts: a member's user name, or `operator`.",
        rich_help_panel=COMMON,
    ),
]
CommandIdOption = Annotated[
    str | None,
    typer.Option(
        "--command-id",
        metavar="UUID",
        help="Repeats a command safely: the same id is carried out once. Default: a new one.",
        rich_help_panel=COMMON,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Answers with one JSON document on stdout.", rich_help_panel=COMMON)
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Shows where an error comes from.", rich_help_panel=COMMON)]


def verb(
    group: typer.Typer,
    name: str,
    *,
    role: Role | None = None,
    otherwise: Role | None = None,
    org: bool = True,
    roles: bool = True,
    command: bool = False,
    worker: bool = False,
    alone: bool = False,
) -> Callable[[Callable[Concatenate[Call, P], Answer | None]], Callable[Concatenate[Call, P], Answer | None]]:
    """Makes a function a verb of a group.

    `role` is in which role a member acts who does not say, and `otherwise` in which one who does not have it; without
    a role the verb needs no actor. `org`: it is about one organization. `roles`: a member may choose another role.
    `command`: it takes a command id. `worker`: it runs on, and its logs are what one wants to see. `alone`: it is what
    the group does when no verb of it is said.
    """

    def add(
        function: Callable[Concatenate[Call, P], Answer | None],
    ) -> Callable[Concatenate[Call, P], Answer | None]:
        asked = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        common: dict[str, tuple[Any, Any]] = {"as_json": (JsonOption, False), "debug": (DebugOption, False)}
        if command:
            common = {"shared_command_id": (CommandIdOption, None), **common}
        if role is not None:
            if roles and role != OPERATOR:
                common = {"shared_as_role": (role_option(role, otherwise), None), **common}
            common = {"shared_user_name": (AsOption, None), **common}
        if org:
            common = {"shared_handle": (OrgOption, None), **common}

        def run(context: typer.Context, **given: Any) -> None:
            if context.invoked_subcommand is not None:
                return
            shared = {key: given.pop(f"shared_{key}") for key in SHARED if f"shared_{key}" in given}
            as_json, debug = given.pop("as_json"), given.pop("debug")
            usual = (role or OPERATOR, otherwise)
            run_of = Run(function, given, shared, usual, as_json=as_json, debug=debug, worker=worker)
            raise typer.Exit(run_of.to_its_end(context.obj))

        parameters = [
            Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in asked),
            *(
                Parameter(key, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
                for key, (annotation, default) in common.items()
            ),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__doc__ = function.__doc__
        if alone:
            group.info.no_args_is_help = False
            group.callback(invoke_without_command=True)(run)
        else:
            group.command(name)(run)
        return function

    return add


def role_option(default: Role, otherwise: Role | None) -> Any:
    usual = f"{default}, or {otherwise} for a member who is no {default}" if otherwise else default
    return Annotated[
        MemberRole | None,
        typer.Option("--role", help=f"In which role the member acts. Default: {usual}.", rich_help_panel=COMMON),
    ]


@dataclass(frozen=True)
class Run:
    """A verb with what was typed for it."""

    function: Callable[..., Answer | None]
    given: Mapping[str, Any]
    shared: Mapping[str, Any]
    usual_role: tuple[Role, Role | None]  # and the one of members who do not have it
    as_json: bool
    debug: bool
    worker: bool

    def to_its_end(self, settings: Settings | None) -> int:
        """Runs it and tells the answer or the failure; gives the exit code."""
        command_id: UUID | None = None
        try:
            command_id = command_id_from(self.shared.get("command_id")) or uuid4()
            settings = settings or read_settings()
            log_to_stderr(settings, quiet=not (self.worker or self.debug))
            with House(settings, tell=lambda line: typer.echo(line, err=True)) as house:
                return self._answered(house, command_id)
        except BrokenPipeError:  # nobody reads any more: there is nobody to tell
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - people get a line, whatever it was
            if self.debug:
                traceback.print_exc()
            return self._failed(self._to_send_again(failure_of(error), command_id))

    def _answered(self, house: House, command_id: UUID) -> int:
        call = Call(
            house=house,
            handle=self.shared.get("handle"),
            user_name=self.shared.get("user_name"),
            role=self.usual_role[0],
            otherwise=self.usual_role[1],
            asked_role=self.shared.get("as_role"),
            command_id=command_id,
            as_json=self.as_json,
            reading=f"{self.function.__module__.rpartition('.')[2]} {self.function.__name__}",
        )
        try:
            answer = self.function(call, **self.given)
        except Refusal as refusal:
            if self.debug:
                traceback.print_exc()
            failure = with_user_names(refusal, call.known_names)
            return self._failed(self._to_send_again(failure, command_id))
        if answer is not None:
            tell(answer, as_json=self.as_json)
            sys.stdout.flush()
        return answer.exit_code if answer else 0

    def _to_send_again(self, failure: Failure, command_id: UUID | None) -> Failure:
        """With the id of the command, where sending the same one again is the remedy."""
        if command_id is None or "command_id" not in self.shared or failure.code not in AGAIN:
            return failure
        message = f"{failure.message} (with --command-id {command_id})"
        return failure._replace(message=message, facts={**failure.facts, "command_id": str(command_id)})

    def _failed(self, failure: Failure) -> int:
        """One line on stderr, and the document that was asked for."""
        if self.as_json:
            typer.echo(as_text(failure.data, indent=2))
        typer.echo(f"seatledger: {failure.message}", err=True)
        return failure.exit_code
