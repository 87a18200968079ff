"""dev-token."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import root
from adapters.cli.verb import verb
from adapters.http.principal import HouseRole


@verb(root, "dev-token", role=OPERATOR)
def dev_token(
    call: Call,
    *,
    role: Annotated[HouseRole | None, typer.Option(help="For one of the house's own instead of a member.")] = None,
    hours: Annotated[int, typer.Option(min=1, help="How long it is good.")] = 8,
) -> Answer:
    """Prints a token for the HTTP API: for trying things out, where no issuer of tokens is set.

    Whether the member exists is asked when the token is used.

    Example: `seatledger dev-token --org contoso --as ben@contoso.com`
    """
    from adapters.http.development_issuer import DevelopmentIssuer

    settings = call.house.settings
    if not settings.in_development:
        raise BadInput(
            "tokens for development are not accepted here; ask the issuer for one, or set SEATLEDGER_DEVELOPMENT=true"
            " and no SEATLEDGER_OIDC_ISSUER where nothing real is at stake"
        )
    if role is None and call.user_name == OPERATOR:
        role = OPERATOR
    if role is None and not (call.handle and call.user_name):
        raise BadInput("say for whom: --org HANDLE --as USER_NAME, or --role operator")
    organization, user_name = (call.handle, call.user_name) if role is None else (None, None)
    issuer = DevelopmentIssuer(settings.home)
    try:
        token = issuer.issue(organization, user_name, role, hours)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if not call.as_json:
        typer.echo(token)  # whole: a table's line would break
    data = {"token": token, "organization": organization, "user_name": user_name, "role": role}
    return Answer({**data, "hours": hours}, [])
