"""Audit: signed checkpoints of the ledger's tree, and proofs that lead to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.postgres.tree import NotSealed, TreeReads
from adapters.proof.proofs import MEDIA_TYPE
from adapters.proof.prove import NotAsSigned, checkpoint_in, newest, of_size, prove_event, prove_growth
from projections.audit.merkle import LARGEST
from services.read_history import ReadHistory, may_audit

routes = APIRouter(prefix=f"{ORGANIZATION}/audit", tags=["audit"])


def as_text(what: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": what}}


NOTE = as_text("A signed note, as C2SP's tlog-checkpoint describes it.")
INCLUSION = as_text("A file as C2SP's tlog-proof describes it; `extra` is the event in its exact bytes.")
CONSISTENCY = as_text("The old size, hashes, and the later checkpoint, as C2SP's witnesses take them.")
Leaves = Annotated[int, Path(ge=1, le=LARGEST, description="How many leaves its tree has.")]
Position = Annotated[int, Path(ge=1, lt=2**63, description="Of an event of the organization.")]


@routes.get(
    "/checkpoint",
    operation_id="show_checkpoint",
    summary="Show the newest signed checkpoint",
    response_class=Response,
    responses=NOTE,
)
def show(call: AuditorReads) -> Response:
    """Of the tree over all events of all organizations, of which it tells nothing but how many there are.

    Keep it where nobody of this house can change it: by it a later change of history shows.
    """
    with tree_of(call) as tree:
        return text(newest(tree).note)


@routes.get(
    "/checkpoints/{size}",
    operation_id="show_checkpoint_of_size",
    summary="Show the checkpoint of a size",
    response_class=Response,
    responses=NOTE,
)
def show_of_size(call: AuditorReads, size: Leaves) -> Response:
    """One that was signed; not every size was."""
    with tree_of(call) as tree:
        return text(of_size(tree, size).note)


@routes.get(
    "/proofs/{position}",
    operation_id="prove_event",
    summary="Prove an event",
    response_class=Response,
    responses=INCLUSION,
)
def prove(call: AuditorReads, position: Position) -> Response:
    """That it is in the newest signed tree; the log's key is all that it takes to check it, without this service."""
    with tree_of(call) as tree:
        return text(prove_event(tree, call.organization_id, position).text())


@routes.get(
    "/consistency",
    operation_id="prove_growth",
    summary="Prove that the tree has only grown",
    response_class=Response,
    responses=CONSISTENCY,
)
def prove_grown(
    call: AuditorReads,
    earlier: Annotated[int, Query(ge=1, le=LARGEST, description="The size of the checkpoint that was kept.")],
    size: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="Of the later checkpoint; left out: the newest.")
    ] = None,
) -> Response:
    """From one signed checkpoint to another: whoever kept the earlier one checks it without this service."""
    with tree_of(call) as tree:
        kept = checkpoint_in(of_size(tree, earlier))
        later = newest(tree) if size is None else of_size(tree, size)
        return text(prove_growth(tree, kept, later).text())


@contextmanager
def tree_of(call: Call) -> Iterator[TreeReads]:
    """The tree, for who may audit the organization; what is not there, or not as it was signed, is told."""
    may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
    try:
        with call.house.trees.lent() as tree:
            yield tree
    except NotSealed as error:
        raise BadRequest("nothing_sealed", str(error)) from None
    except NotAsSigned as error:
        raise BadRequest("not_as_sealed", str(error)) from None


def text(content: str) -> Response:
    return Response(content, media_type=MEDIA_TYPE)
