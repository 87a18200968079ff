"""Page cursors: opaque, signed, and good for the same question of the same caller only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from adapters.http.bad_request import BadRequest


class Cursors:
    """Makes cursors and reads them again; `secret` is the same in every process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, place: Sequence[Any], *question: object) -> str:
        """The cursor of a place in the answer to a question."""
        return str(self._signer(question).dumps(list(place)))

    def read(self, cursor: str, *question: object) -> list[Any]:
        """The place; refuses a cursor that was changed, or that came with the answer to another question."""
        try:
            place = self._signer(question).loads(cursor)
        except BadData:
            raise BadRequest(
                "cursor_not_accepted",
                "send `next` of the page before, unchanged and with the same filters, or start without one",
                where="cursor",
            ) from None
        return list(place)

    def _signer(self, question: Sequence[object]) -> URLSafeSerializer:
        salt = "\0".join(["seatledger.cursor.1", *map(str, question)])
        return URLSafeSerializer(self._secret, salt=salt, signer_kwargs={"digest_method": hashlib.sha256})
