"""Who holds a license, oldest assignment first, packed: 16 bytes each in a snapshot, no object each in memory."""

import base64
import struct
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

WIDTH = 16
ONE = struct.Struct("16s")


class Holders:
    """An ordered set of member ids.

    What a snapshot holds stays as it is packed, with what came and went since beside it: to make an object of each of
    100,000 ids takes longer than a whole load may, and a command asks for a few of them.
    """

    def __init__(self, packed: bytes = b"") -> None:
        if len(packed) % WIDTH:
            raise ValueError("holders are packed in 16 bytes each")
        self._kept = packed
        self._gone: set[bytes] = set()  # of the kept ones
        self._since: dict[bytes, None] = {}  # those who came after them, in their order

    def __len__(self) -> int:
        return len(self._kept) // WIDTH - len(self._gone) + len(self._since)

    def __contains__(self, member_id: UUID) -> bool:
        packed = member_id.bytes
        return packed in self._since or (packed not in self._gone and self._is_kept(packed))

    def _is_kept(self, packed: bytes) -> bool:
        at = self._kept.find(packed)
        while at % WIDTH and at > 0:  # the end of one id and the beginning of the next
            at = self._kept.find(packed, at + 1)
        return at >= 0

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(bytes=packed) for (packed,) in ONE.iter_unpack(self._all()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holders) and self._all() == other._all()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Holders({len(self)})"

    def add(self, member_id: UUID) -> None:
        """Takes in somebody who is no holder."""
        self._since[member_id.bytes] = None

    def remove(self, member_id: UUID) -> None:
        """Lets a holder go."""
        packed = member_id.bytes
        if packed in self._since:
            del self._since[packed]
        else:
            self._gone.add(packed)

    def clear(self) -> None:
        self._kept = b""
        self._gone.clear()
        self._since.clear()

    def newest(self, count: int) -> list[UUID]:
        """The last `count` to be assigned, newest first."""
        packed = self._all()
        return [UUID(bytes=packed[at : at + WIDTH]) for at in range(len(packed) - WIDTH, -1, -WIDTH)[:count]]

    def packed(self) -> str:
        return base64.b64encode(self._all()).decode()

    def _all(self) -> bytes:
        kept = self._kept
        if self._gone:
            kept = b"".join(packed for (packed,) in ONE.iter_unpack(kept) if packed not in self._gone)
        return kept + b"".join(self._since)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        unpacked = core_schema.no_info_after_validator_function(
            lambda packed: cls(base64.b64decode(packed, validate=True)), core_schema.str_schema()
        )
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), unpacked],
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.packed, return_schema=core_schema.str_schema()
            ),
        )
