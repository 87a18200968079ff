"""What operators and their machines ask: is it alive, can it work, what does it count; and the help pages."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

routes = APIRouter()


class Alive(BaseModel):
    status: str


@routes.get("/healthz", tags=["operations"], operation_id="is_alive", summary="Whether the process answers")
async def is_alive() -> Alive:
    """Looks at nothing else: a database that is away is no reason to start the process again."""
    return Alive(status="alive")
