"""Audit: an organization's events as a pack that its auditor checks offline."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.postgres.pack_reads import PackReads
from adapters.postgres.session import API
from adapters.proof.export_pack import Asked, Maker, NothingSealed, PackRefused, TooMuch, export_pack
from services.read_history import ReadHistory, may_audit

MOST_EVENTS = 50_000  # of a download; larger packs are written by `seatledger audit export`
CHUNK = 1 << 20
MEDIA_TYPE = "application/zip"

routes = APIRouter(prefix=ORGANIZATION, tags=["audit"])

PACK: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "description": "The pack, as docs/auditors.md describes it.",
    }
}


class PackResponse(Response):
    media_type = MEDIA_TYPE


@routes.get(
    "/audit/pack",
    operation_id="export_audit_pack",
    summary="Export a pack that proves itself offline",
    response_class=PackResponse,
    responses=PACK,
)
def export(
    call: AuditorReads,
    kept: Annotated[
        int | None,
        Query(ge=1, lt=2**62, description="The size of a checkpoint that was kept: the pack can be compared with it."),
    ] = None,
) -> StreamingResponse:
    """The organization's sealed events with their exact bytes, hashes in place of others', and signed checkpoints.

    Whoever has the ledger's key checks it with `verify_pack.py`, without this service. It is complete when the answer
    begins. An organization with more than 50,000 events gets its pack from an operator.
    """
    may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
    file = TemporaryFile()  # noqa: SIM115 - closed by whoever sends it
    try:
        size = write_pack(call, file, () if kept is None else (kept,))
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{call.handle}.pack"',
    }
    return StreamingResponse(sent(file), headers=headers, media_type=MEDIA_TYPE)


def write_pack(call: Call, file: BinaryIO, cuts: Sequence[int]) -> int:
    """Writes the whole pack, and answers its length."""
    asked = Asked(organization_id=call.organization_id, cuts=cuts, most=MOST_EVENTS)
    maker = Maker(f"seatledger {importlib.metadata.version('seatledger')}", now=call.house.clock())
    try:
        with PackReads(call.house.database_url, role=API, visible=str(call.organization_id)) as reads:
            export_pack(reads, asked, file, maker)
    except NothingSealed as refused:
        raise BadRequest("nothing_sealed", str(refused)) from None
    except TooMuch as refused:
        raise BadRequest("pack_too_large", str(refused)) from None
    except PackRefused as refused:
        raise BadRequest("not_as_sealed", str(refused)) from None
    size = file.tell()
    file.seek(0)
    return size


def sent(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
