"""Types of what callers send, as strict as JSON lets them be."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictInt

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def iso_day(value: Any) -> Any:
    """Only a day as ISO 8601 writes it: neither a time nor a number of seconds."""
    if isinstance(value, date) or (isinstance(value, str) and ISO_DAY.fullmatch(value)):
        return value
    raise ValueError("must be a day such as 2026-01-31")


Day = Annotated[date, BeforeValidator(iso_day)]
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Minor = Annotated[StrictInt, Field(ge=-(2**53), le=2**53, description="In the currency's minor unit.")]
YesNo = StrictBool
