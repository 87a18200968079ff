"""The OpenAPI document, as far as the routes do not say it themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from adapters.http.problems import MEDIA_TYPE, Problem

DESCRIPTION = """\
Licenses by self-service: buy, assign, cancel; with a history that can be audited.

- **Who calls**: `Authorization: Bearer …`, a token of the configured issuer or an API key. What does not belong to the
  caller's organization does not exist for them.
- **Changes** carry an `Idempotency-Key`. A repeat with the same content gets the first answer, marked with
  `Idempotency-Replayed: true`, for ever; the same key with other content is refused. While a payment waits for its
  payer or for the provider, the answer is 409 with `Retry-After`: the same call again goes on where it stood.
- **`PUT` and `PATCH`** carry `If-Match` with the `ETag` of what the caller looked at; a stale one is refused with 412.
- **Problems** are `application/problem+json` (RFC 9457). `code` is what programs decide by, and `type` leads to its
  help page. They never repeat what was sent.
- **Positions**: the answer to a command carries its `position`; a query with `at_least` that position knows of it.
- **Amounts** are whole numbers of the currency's minor unit, in fields that end in `_minor`.
"""
PROBLEM = {
    "description": "Refused, or an error.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
OPEN = ("/healthz", "/readyz", "/metrics", "/problems/{code}")
BEARER = "bearer"
ROLE_HEADER, ROLE = "Seatledger-Role", "Role"  # named, or a generated client has a type of it for each operation


def described(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        summary="Billing backend for self-service license purchases",
        description=DESCRIPTION,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    components["securitySchemes"] = {
        BEARER: {"type": "http", "scheme": "bearer", "description": "A JWT of the configured issuer, or an API key."}
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = sendable(parameter["schema"])
                if parameter["name"] == ROLE_HEADER:
                    schemas[ROLE] = {**parameter["schema"], "title": ROLE}
                    parameter["schema"] = {"$ref": f"#/components/schemas/{ROLE}"}
            operation["responses"].pop("422", None)
            if "{" in path:
                operation["responses"] |= {"4XX": PROBLEM}
            if path not in OPEN:
                operation["security"] = [{BEARER: []}]
                operation["responses"] |= {"4XX": PROBLEM, "5XX": PROBLEM}
    app.openapi_schema = document
    return document


def sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter without null, which no path, query or header can say."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]} if kinds else schema
