"""Who holds a license, oldest assignment first, packed: 16 bytes each in a snapshot, no object each in memory."""

import base64
import struct
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

ONE = struct.Struct("16s")


class Holders:
    """An ordered set of member ids. Decoding 100,000 UUID objects would cost more than the whole load may."""

    def __init__(self, packed: bytes = b"") -> None:
        if len(packed) % ONE.size:
            raise ValueError("holders are packed in 16 bytes each")
        self._ids: dict[bytes, None] = {member_id: None for (member_id,) in ONE.iter_unpack(packed)}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, member_id: UUID) -> bool:
        return member_id.bytes in self._ids

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(bytes=packed) for packed in self._ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holders) and list(self._ids) == list(other._ids)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Holders({len(self)})"

    def add(self, member_id: UUID) -> None:
        self._ids[member_id.bytes] = None

    def remove(self, member_id: UUID) -> None:
        del self._ids[member_id.bytes]

    def clear(self) -> None:
        self._ids.clear()

    def newest(self, count: int) -> list[UUID]:
        """The last `count` to be assigned, newest first."""
        ids = list(self._ids)
        return [UUID(bytes=packed) for packed in reversed(ids[len(ids) - count :])]

    def packed(self) -> str:
        return base64.b64encode(b"".join(self._ids)).decode()

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
