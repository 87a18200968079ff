"""What every list takes: how many rows, and where the page before ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from services.ports_reads import PAGE

Limit = Annotated[int, Query(ge=1, le=PAGE, description="Rows of a page at most.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next` of the page before.")]
