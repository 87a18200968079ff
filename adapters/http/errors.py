"""From any error to the problem that tells it: what to do, where, and never what was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from adapters.http.bad_request import BadRequest
from adapters.http.principal import Unauthorized
from adapters.http.problems import KINDS, InputError, problem
from domain.refusals import Refusal
from services.ports import LedgerUnavailable
from services.ports_reads import NeverTold, NotYet

FRAMES = 12  # of a defect, in the log
UNKNOWN = {"extra_forbidden"}  # their place is a name that the caller chose
BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "media_type_not_supported",
}
HEADERS = {"idempotency-key": "idempotency_key_missing", "if-match": "if_match_required"}


def told_as_problem(error: BaseException, scope: Scope) -> Response:  # noqa: PLR0911 - one for each kind of error
    """The answer for an error; what nobody foresaw is logged without its message, which may quote what was sent."""
    request_id = scope.get("state", {}).get("request_id")
    match error:
        case BadRequest():
            errors = [InputError(pointer=error.where, detail=error.remedy)] if error.where else []
            return problem(
                error.code,
                error.remedy,
                facts=error.facts,
                errors=errors,
                request_id=request_id,
                retry_after_s=error.retry_after_s,
            )
        case Unauthorized():
            return problem(error.code, error.message, request_id=request_id)
        case Refusal():
            return refused(error, request_id)
        case NeverTold():
            errors = [InputError(pointer="at_least", detail="no event has that position yet")]
            return problem("bad_parameter", str(error), errors=errors, request_id=request_id)
        case NotYet():
            return problem("not_yet", str(error), request_id=request_id, retry_after_s=error.retry_after_s)
        case LedgerUnavailable():
            return problem("unavailable", str(error), request_id=request_id)
        case RequestValidationError():
            return invalid(error.errors(), request_id)
        case ValidationError():  # of a command: its fields are the body's; of a query they are its parameters
            found = error.errors(include_url=False, include_context=False, include_input=False)
            place = "query" if scope["method"] == "GET" else "body"
            return invalid([{**each, "loc": (place, *each["loc"])} for each in found], request_id)
        case HTTPException():
            kept = {"Allow": ", ".join(methods_at(scope))} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
            code = BY_STATUS.get(error.status_code, "bad_request")
            return problem(code, KINDS[code].help, request_id=request_id, headers=kept)
        case _:
            structlog.get_logger().error("defect", error=type(error).__name__, at=places(error))
            return problem(
                "defect", "nothing is half done; report the request id, and repeat the call", request_id=request_id
            )


def methods_at(scope: Scope) -> list[str]:
    """All methods of a path: the router names those of the first route on it alone."""
    path = getattr(scope.get("route"), "path", "")
    return [method.upper() for method in scope["app"].openapi()["paths"].get(path, {"get": None})]


def handler(request: Any, error: Exception) -> Response:
    """An exception handler of the application."""
    return told_as_problem(error, request.scope)


def refused(refusal: Refusal, request_id: str | None) -> Response:
    """A refusal, by its own code; where it names a field, as an error of that place."""
    errors = []
    if "field" in refusal.facts:
        errors.append(InputError(pointer=str(refusal.facts["field"]), detail="looks like card data"))
    return problem(refusal.code, str(refusal), facts=refusal.facts, errors=errors, request_id=request_id)


def invalid(found: Sequence[Any], request_id: str | None) -> Response:
    """What the types of a route or a command refuse: each place once, without what stood there."""
    places = [error["loc"][0] for error in found]
    for error in found:
        name = str(error["loc"][-1]).lower()
        if error["loc"][0] == "header" and error["type"] == "missing" and name in HEADERS:
            code = HEADERS[name]
            return problem(code, KINDS[code].help, request_id=request_id)
    errors = [InputError(pointer=pointer_of(error), detail=detail_of(error)) for error in found]
    if any(error["type"] == "json_invalid" for error in found):
        return problem("bad_request", "the body must be one JSON document in UTF-8", request_id=request_id)
    code = "bad_input" if all(place == "body" for place in places) else "bad_parameter"
    said = "; ".join(f"{one.pointer or 'the body'}: {one.detail}" for one in errors[:3])
    return problem(code, f"{said}; correct it and try again", errors=errors, request_id=request_id)


def pointer_of(error: Any) -> str:
    """A JSON pointer into the body, or the name of a header or parameter; never a name that the caller made up."""
    place, *path = error["loc"]
    if error["type"] in UNKNOWN:
        path = path[:-1]
    if place == "body":
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    return str(path[-1]) if path else str(place)


def detail_of(error: Any) -> str:
    if error["type"] in UNKNOWN:
        return "has a field that is not known here"
    said = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{said[:1].lower()}{said[1:]}"


def places(error: BaseException) -> list[str]:
    """Where an error came from: file, line and function of the innermost frames."""
    found = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return found[-FRAMES:]


HANDLED: Sequence[type[Exception]] = (
    BadRequest,
    Unauthorized,
    Refusal,
    NeverTold,
    NotYet,
    LedgerUnavailable,
    RequestValidationError,
    ValidationError,
    HTTPException,
    Exception,
)


def handlers() -> dict[Any, Callable[..., Any]]:
    return dict.fromkeys(HANDLED, handler)
