"""What a route asks of a request beside its body: the organization, a role, a position, a key, a tag."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request

from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.tags import seen_in
from domain.envelope import Role
from domain.organization import CATALOG, organization_id_of

ORGANIZATION = "/v1/organizations/{organization}"  # what the paths of everything in one begin with
OrganizationHandle = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="The organization's handle, such as `contoso`.")
]
RoleHeader = Annotated[
    Role | None,
    Header(
        alias="Seatledger-Role",
        description="In which of their roles a member acts; the usual one where it is left out.",
    ),
]
KeyHeader = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Of the caller's choice; a repeat with the same key and content gets the first answer, for ever.",
    ),
]
TAG_IN_WORDS = r'^(\*|"[0-9]{1,18}(-[0-9]{1,18})*")$'  # for the document; `tags` refuses others with a code of its own
TagHeader = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=200,
        json_schema_extra={"pattern": TAG_IN_WORDS},
        description="The ETag of the answer on which the change was decided; `*` decides on whatever there is.",
    ),
]
AtLeast = Annotated[
    int,
    Query(
        ge=0, lt=2**63, description="Read at this position of history or later: the `position` of an earlier answer."
    ),
]


class Caller:
    """A dependency that makes the `Call` of a request; `usual` is the role of a member who does not say one."""

    def __init__(self, usual: Role) -> None:
        self.usual: Role = usual

    def call(self, request: Request, organization: str | None, role: Role | None, **more: Any) -> Call:
        refuse_unknown_parameters(request)
        state = request.scope["state"]
        return Call(
            house=request.app.state.house,
            principal=state["principal"],
            organization_id=organization_id_of(organization) if organization else CATALOG,
            asked_role=role,
            usual_role=self.usual,
            correlation_id=state["correlation_id"],
            reading=request.scope["route"].operation_id or "",
            handle=organization,
            **more,
        )


class Reader(Caller):
    """Of a query about an organization."""

    async def __call__(
        self, request: Request, organization: OrganizationHandle, acting_as: RoleHeader = None, at_least: AtLeast = 0
    ) -> Call:
        return self.call(request, organization, acting_as, at_least=at_least)


class Doer(Caller):
    """Of a command in an organization."""

    async def __call__(
        self, request: Request, organization: OrganizationHandle, key: KeyHeader, acting_as: RoleHeader = None
    ) -> Call:
        return self.call(request, organization, acting_as, idempotency_key=key)


class Changer(Caller):
    """Of a command that changes what exists, decided on what the caller has seen."""

    async def __call__(
        self,
        request: Request,
        organization: OrganizationHandle,
        key: KeyHeader,
        tag: TagHeader,
        acting_as: RoleHeader = None,
    ) -> Call:
        return self.call(request, organization, acting_as, idempotency_key=key, seen=seen_in(tag))


class CatalogReader(Caller):
    """Of a query about the catalog, which belongs to nobody."""

    async def __call__(self, request: Request, acting_as: RoleHeader = None) -> Call:
        return self.call(request, None, acting_as)


class CatalogDoer(Caller):
    """Of a command about the catalog, or about the house."""

    async def __call__(self, request: Request, key: KeyHeader, acting_as: RoleHeader = None) -> Call:
        return self.call(request, None, acting_as, idempotency_key=key)


def refuse_unknown_parameters(request: Request) -> None:
    """A parameter that the route does not know is more likely a misspelled filter than a wish to see everything."""
    given = request.query_params
    if not given:
        return
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    if unknown := [name for name in given if name not in known]:
        raise BadRequest(
            "bad_parameter",
            f"{len(unknown)} of the query's parameters {'is' if len(unknown) == 1 else 'are'} unknown here; it takes"
            f" {', '.join(sorted(known)) or 'none'}",
            where="query",
        )


PurchaserReads = Annotated[Call, Depends(Reader("purchaser"))]
PurchaserDoes = Annotated[Call, Depends(Doer("purchaser"))]
PurchaserChanges = Annotated[Call, Depends(Changer("purchaser"))]
AdminReads = Annotated[Call, Depends(Reader("admin"))]
AdminDoes = Annotated[Call, Depends(Doer("admin"))]
AdminChanges = Annotated[Call, Depends(Changer("admin"))]
AuditorReads = Annotated[Call, Depends(Reader("auditor"))]
AuditorDoes = Annotated[Call, Depends(Doer("auditor"))]
ReadsCatalog = Annotated[Call, Depends(CatalogReader("purchaser"))]
DoesInCatalog = Annotated[Call, Depends(CatalogDoer("purchaser"))]

SubscriptionId = Annotated[UUID, Path(description="The subscription.")]
