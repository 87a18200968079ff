"""Auditors and services see what happened, and never whom it happened to by name."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from tests.system.http.prepared import PEOPLE, PERSONAL, prepared
from tests.system.http.requests import TABLE, Request, operation_of, send

if TYPE_CHECKING:
    import httpx

    from tests.adapters.http.conftest import Api

NAMES = [PERSONAL, *(f"{name}@contoso.com" for name in [*PEOPLE, "chris"])]


@pytest.mark.parametrize("caller", ["auditor", "service"])
def test_personal_facts_are_told_to_no_auditor_and_no_service(operator: Api, caller: str) -> None:
    there = prepared(operator)
    beginning = there.position
    asked = {name: make(there) for name, make in TABLE.items() if operation_of(name).method == "GET"}
    asked["follow_events"] = Request(query={"after": beginning, "limit": 1000, "wait_s": 10})
    seen = []
    for name, request in asked.items():
        answer = send(there.who(caller), name, request, there)
        told = text_of(answer)
        assert not [one for one in NAMES if one in told], f"{name} tells personal facts to the {caller}"
        if answer.is_success:
            seen.append(name)
        if answer.is_success and name == "follow_events":
            assert len(answer.json()) > 20
    assert ("follow_events" if caller == "service" else "print_invoice") in seen


def test_the_names_are_there_for_who_may_know_them(operator: Api) -> None:
    there = prepared(operator)
    for name in ("show_purchase", "print_invoice", "show_invoice", "show_billing_profile", "export_purchases"):
        answer = send(there.chris, name, TABLE[name](there), there)
        assert PERSONAL in text_of(answer), name


def text_of(answer: httpx.Response) -> str:
    """All that can be read in an answer, headers included."""
    if answer.headers.get("content-type") == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    return f"{answer.headers}\n{answer.text}"
