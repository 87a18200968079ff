"""Quote cases: what published proration cases cost under the rule of their vendor, next to what was published.

Nothing that bills may import this or the vendors' rules; import-linter holds it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from domain.kernel import Value
from services.vendor_change import Change
from services.vendor_rules import rule_of

NO_CURRENCY = "XXX"  # ISO 4217: no currency is involved; such a case is about a factor
FACTOR_DECIMALS = 9
SERVICE_PERIODS = "OpenMeter"  # charges services by their duration, also one that is longer than its period

IN_SCOPE = re.compile(
    r"seat|licen[cs]e|quantity|^partial|cancel|refund|terminat|^credit_note_rounding|boundary|currency|precision"
    r"|leap|month_end|^factor|^renewal|^full"
)
OUT_OF_SCOPE = re.compile(
    r"plan|discount|coupon|tier|trial|pause|resume|interval|coterm|upgrade|downgrade|arrear|mode|billing_day|one_time"
    r"|time_?zone|retroactive|reactivat|usage|credit_note_partial|fixed_charge"
)
MISSING_FEATURE = re.compile(
    r"\b(discount|coupon|tiers?|tiered|graduated|volume pric\w+|trial|in arrears?)\b", re.IGNORECASE
)
GIVEN_BACK = re.compile(r"cancel|credit|repair|refund|terminat", re.IGNORECASE)


def iso_date(value: Any) -> Any:
    """A date as text, and nothing that only looks like one."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("is no date; write it like 2025-06-16")
    return value


def decimal_text(value: Any) -> Any:
    """An amount as decimal text or number."""
    if isinstance(value, bool):
        raise ValueError("is no amount; write it like 14.00")  # noqa: TRY004 - pydantic wants a ValueError
    return value


Day = Annotated[date, BeforeValidator(iso_date)]
Amount = Annotated[Decimal, BeforeValidator(decimal_text), Field(max_digits=30, decimal_places=12)]
Quantity = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Words = Annotated[str, Field(max_length=2_000)]


class ProrationCase(Value):
    """One published case. A field that is null was not published; one that is left out is an error."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, max_length=100)
    vendor: str = Field(min_length=1, max_length=100)
    category: str = Field(min_length=1, max_length=100)
    currency: str = Field(pattern="^[A-Z]{3}$")
    unit_price: Annotated[Amount, Field(ge=0)] | None
    new_unit_price: Annotated[Amount, Field(ge=0)] | None
    period_start: Day | None
    period_end: Day | None
    change_date: Day | None
    old_quantity: Quantity | None
    new_quantity: Quantity | None
    tax_rate_percent: Annotated[Amount, Field(ge=0, le=1_000)] | None
    expected_amount: Amount | None
    method: Words | None
    rounding: Words | None
    description: Words | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> "ProrationCase":
        if self.period_start and self.period_end:
            if self.period_end < self.period_start:
                raise ValueError("period_end is before period_start; exchange them")
            latest = date.max if self.vendor == SERVICE_PERIODS else self.period_end
            if self.in_scope and self.change_date and not self.period_start <= self.change_date <= latest:
                raise ValueError("change_date is outside of the period; move it between period_start and period_end")
        return self

    @property
    def in_scope(self) -> bool:
        """Whether the product does what the category is about."""
        category = self.category.lower().replace(" ", "_").replace("-", "_")
        return bool(IN_SCOPE.search(category)) and not OUT_OF_SCOPE.search(category)

    @property
    def words(self) -> str:
        """Method and rounding as published."""
        return f"{self.method or ''}; {self.rounding or ''}".lower()

    @property
    def missing_feature(self) -> str | None:
        """What the product lacks and the case rests on."""
        found = MISSING_FEATURE.search(f"{self.description or ''} {self.method or ''}")
        return found[0].lower() if found else None


class CaseAnswer(Value):
    """What we compute, what was published, and where the two differ why."""

    id: str
    rule: str | None  # that was applied
    ours: str | None
    theirs: str | None
    equal: bool
    reason: Literal["out_of_scope", "not_published", "rule_differs"] | None
    detail: str | None = None


def quote_cases(cases: Iterable[ProrationCase], exponent_of: Callable[[str], int]) -> list[CaseAnswer]:
    """An answer for each case, in order; computed from its inputs alone. A currency that is none is refused."""
    return [quote_case(case, decimals_of(case, exponent_of)) for case in cases]


def decimals_of(case: ProrationCase, exponent_of: Callable[[str], int]) -> int:
    """How many decimals the case's amounts have."""
    return FACTOR_DECIMALS if case.currency == NO_CURRENCY else exponent_of(case.currency)


def quote_case(case: ProrationCase, decimals: int) -> CaseAnswer:
    theirs = None if case.expected_amount is None else str(case.expected_amount)
    if not case.in_scope:
        return unanswered(case, theirs, "out_of_scope", f"{case.category} is nothing that the product does")
    if case.missing_feature:
        return unanswered(case, theirs, "out_of_scope", f"the product has no {case.missing_feature}")
    change = change_of(case, decimals)
    if change is None or theirs is None:
        return unanswered(case, theirs, "not_published", "an input or the amount is null")
    rule = rule_of(case.vendor, change)
    ours = Decimal(rule.amount(change)).scaleb(-decimals)
    equal = ours == case.expected_amount
    return CaseAnswer(
        id=case.id,
        rule=rule.name,
        ours=f"{ours:.{decimals}f}",
        theirs=theirs,
        equal=equal,
        reason=None if equal else "rule_differs",
        detail=None if equal else f"{rule.name} makes {lines_told(rule.lines(change), decimals)} of the inputs",
    )


def unanswered(
    case: ProrationCase, theirs: str | None, reason: Literal["out_of_scope", "not_published"], detail: str
) -> CaseAnswer:
    return CaseAnswer(id=case.id, rule=None, ours=None, theirs=theirs, equal=False, reason=reason, detail=detail)


def lines_told(lines: Sequence[int], decimals: int) -> str:
    return " ".join(f"{Decimal(line).scaleb(-decimals):+.{decimals}f}" for line in lines)


def change_of(case: ProrationCase, decimals: int) -> Change | None:
    """The case as a change within its period; None where a number that it needs was not published."""
    start, end, old, new = case.period_start, case.period_end, case.old_quantity, case.new_quantity
    if case.unit_price is None or start is None or end is None or old is None or new is None:
        return None
    moment = case.change_date or start  # nothing changes within: the whole period
    since, until = moment, end
    if is_part(case):
        if new == 0:  # what was used until then
            since, until = start, moment
        old, new = 0, new or old
    elif is_whole(case):
        since = start
    if old and new and moment == start and re.search(r"boundary|renewal", case.words):
        old = 0  # of the period that begins, nothing was billed yet
    unit = Fraction(10) ** decimals
    old_price = Fraction(case.unit_price) * unit
    return Change(
        old_price=old_price,
        new_price=old_price if case.new_unit_price is None else Fraction(case.new_unit_price) * unit,
        old_quantity=old,
        new_quantity=new,
        start=start,
        end=end,
        since=since,
        until=until,
        tax=Fraction(case.tax_rate_percent or 0) / 100,
        decimals=decimals,
        words=case.words,
        told=quantities_told(case),
    )


def is_part(case: ProrationCase) -> bool:
    """Whether a part of a period is charged, and nothing given back for the rest."""
    if GIVEN_BACK.search(f"{case.category} {case.description or ''} {case.words}"):
        return False
    return case.category.lower().startswith(("partial", "factor")) or case.vendor == SERVICE_PERIODS


def is_whole(case: ProrationCase) -> bool:
    """Whether the vendor says that nothing is prorated."""
    return (case.rounding or "").strip().lower() == "none" or bool(
        re.search(r"\bfull\b", case.method or "", re.IGNORECASE)
    )


def quantities_told(case: ProrationCase) -> tuple[int, ...]:
    """The quantities before the last change, where the description tells them all: 10->3->15."""
    for chain in re.findall(r"\d{1,9}(?:->\d{1,9})+", case.description or ""):
        quantities = tuple(int(part) for part in chain.split("->"))
        if quantities[-2:] == (case.old_quantity, case.new_quantity):
            return quantities[:-1]
    return ()
