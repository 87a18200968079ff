"""A log as the HTTP API shows it to a witness, who believes nothing of it but what can be proved."""

from __future__ import annotations

import json
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from adapters.proof.notes import NoteInvalid
from adapters.proof.proofs import ConsistencyProof
from adapters.proof.witness import WitnessRefused
from adapters.settings_http import is_trustworthy
from projections.audit.merkle import ProofInvalid

TIMEOUT_S = 20.0
LONGEST = 1_000_000  # bytes
NOTHING = {"not_found", "nothing_sealed", "not_as_sealed"}  # codes of problems that say: there is no such proof


class NoRedirects(HTTPRedirectHandler):
    """The token goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class ShownByApi:
    """The checkpoints of the API at a URL, asked for as a member or operator of an organization."""

    def __init__(self, url: str, handle: str, token: str | None) -> None:
        if not is_trustworthy(url):
            raise WitnessRefused(f"{url} is no address that a token may go to: https://, or http:// on this machine")
        self._base = f"{url.rstrip('/')}/v1/organizations/{quote(handle, safe='')}/audit"
        self._headers = {"Accept": "text/plain, application/problem+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        directly = [ProxyHandler({})] if url.startswith("http:") else []  # it is on this machine
        self._open = build_opener(NoRedirects, *directly).open

    def latest(self) -> str:
        text = self._text("/checkpoint")
        if text is None:
            raise WitnessRefused("the API has no checkpoint: nothing is sealed yet, or the organization is not yours")
        return text

    def growth(self, earlier: int, size: int) -> ConsistencyProof:
        text = self._text(f"/consistency?{urlencode({'earlier': earlier, 'size': size})}")
        if text is None:
            raise ProofInvalid(f"the API has no proof that the tree of {size} leaves begins with that of {earlier}")
        return ConsistencyProof.parse(text)

    def _text(self, path: str) -> str | None:
        """What is there; None where there is nothing."""
        request = Request(f"{self._base}{path}", headers=self._headers)  # noqa: S310 - is_trustworthy looked at it
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                return read(answer)
        except HTTPError as error:
            with error:
                if code_of(error) in NOTHING:
                    return None
                raise WitnessRefused(
                    f"the API answers {error.code}: see that the token is right and may audit"
                ) from None
        except (OSError, HTTPException) as error:
            raise WitnessRefused(
                f"the API does not answer ({type(error).__name__}): see that the URL is right"
            ) from None


def code_of(error: HTTPError) -> str | None:
    """The code of a problem."""
    try:
        problem = json.loads(error.read(LONGEST))
        return str(problem["code"])
    except (ValueError, KeyError, TypeError, OSError):
        return None


def read(answer: HTTPResponse) -> str:
    content = answer.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise NoteInvalid("the API's answer is too long to be a checkpoint")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("the API's answer is not text") from None
