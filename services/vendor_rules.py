"""How other billing systems charge a part of a period: named, versioned rules for comparing, never for billing."""

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from fractions import Fraction

from domain.calendar import add_months
from domain.proration import DAILY_HALF_UP
from services.vendor_change import Change, VendorRule, nearest, taxed
from services.vendor_rules_microsoft import microsoft_rule


def daily_half_up(change: Change) -> list[int]:
    """Our own: an increase is a line of its own, a decrease credits what the line loses."""

    def part(price: Fraction, quantity: int) -> int:
        return DAILY_HALF_UP.amount(
            unit_price_minor=price.numerator,
            quantity=quantity,
            days=change.left,
            cycle_days=max(change.days, 1) * price.denominator,
        )

    more = change.new_quantity - change.old_quantity
    if change.old_price == change.new_price and more > 0:
        return taxed(change, [part(change.new_price, more)])
    return taxed(change, [part(change.new_price, change.new_quantity) - part(change.old_price, change.old_quantity)])


def sides(rounded: Callable[[Fraction], int]) -> Callable[[Change], list[int]]:
    """The old part credited and the new part charged, each rounded for itself."""
    return lambda change: taxed(change, [-rounded(change.old * change.share), rounded(change.new * change.share)])


# ---------------------------------------------------------------------------------------------------------------------
# Kill Bill: a factor of nine decimals, then the currency's decimals.


def days_of_fixed_months(since: date, until: date) -> int:
    """Days where each month that ends in between counts as 30."""
    days, month = (until - since).days, since.replace(day=1)
    while month < until.replace(day=1):
        days += 30 - monthrange(month.year, month.month)[1]
        month = add_months(month, 1)
    return days


def kill_bill(*, fixed_months: bool) -> Callable[[Change], list[int]]:
    """A credit is the factor of the rounded item, a charge the factor of the exact price."""

    def lines(change: Change) -> list[int]:
        left, days = change.left, change.days
        if fixed_months:
            left = days_of_fixed_months(change.since, change.until)
            days = max(30, days_of_fixed_months(change.start, change.end))
        factor = Fraction(nearest(Fraction(left * 10**9, days)), 10**9) if days else Fraction(0)
        return taxed(change, [-nearest(nearest(change.old) * factor), nearest(change.new * factor)])

    return lines


# ---------------------------------------------------------------------------------------------------------------------
# Lago: fees and credit notes round amount and tax for themselves.


def lago_fee(change: Change) -> list[int]:
    """A plan's fee for the days that are left."""
    return taxed(change, [nearest(change.new * change.share)])


def lago_credit(change: Change, left: int) -> list[int]:
    """A credit note: cut to five decimals of a cent, then amount and tax are rounded each for itself."""
    if not change.days:
        return []
    cut = Fraction(math.trunc(change.old * left / change.days * 10**5), 10**5)
    return [-nearest(cut), *([-nearest(cut * change.tax)] if change.tax else [])]


def lago_termination(change: Change) -> list[int]:
    """The day of the termination counts as used."""
    return lago_credit(change, max(change.left - 1, 0))


def lago_plan_change(change: Change) -> list[int]:
    """The day of the change belongs to the new price."""
    return [*lago_credit(change, change.left), *lago_fee(change)]


def lago_units(change: Change) -> list[int]:
    """Only units above the most that the period was billed for are charged, and none are refunded."""
    more = max(0, change.new_quantity - max(change.old_quantity, *change.told, 0))
    return taxed(change, [nearest(change.new_price * more * change.share)])


# ---------------------------------------------------------------------------------------------------------------------
# Polar, OpenMeter


def polar_net(change: Change) -> list[int]:
    """Seats: one entry for the difference, cut toward zero."""
    return taxed(change, [math.trunc((change.new - change.old) * change.share)])


def openmeter(change: Change) -> list[int]:
    """The ratio of the durations; never above the whole, which a service without duration costs as well."""
    share = change.share if 0 < change.left < change.days else Fraction(1)
    return taxed(change, [nearest((change.new - change.old) * share)])


# ---------------------------------------------------------------------------------------------------------------------
# Which rule


def rule_of(vendor: str, change: Change) -> VendorRule:
    """The vendor's rule for this kind of change, by the words of method and rounding; of an unknown vendor, ours."""
    choose = BY_VENDOR.get("".join(letter for letter in vendor.lower() if letter.isalnum()))
    return choose(change) if choose else OURS


def kill_bill_rule(change: Change) -> VendorRule:
    fixed = "fixed" in change.words
    name = "kill-bill-factor9-fixed-month-half-up.v1" if fixed else "kill-bill-factor9-half-up.v1"
    return VendorRule(name, kill_bill(fixed_months=fixed))


def lago_rule(change: Change) -> VendorRule:
    if not change.new_quantity:
        return VendorRule("lago-credit-note-rounded-parts.v1", lago_termination)
    if not change.old_quantity:
        return VendorRule("lago-fee-half-up.v1", lago_fee)
    if change.old_price != change.new_price or change.old_quantity == change.new_quantity:
        return VendorRule("lago-plan-change-rounded-parts.v1", lago_plan_change)
    return VendorRule("lago-units-above-the-billed.v1", lago_units)


def polar_rule(change: Change) -> VendorRule:
    if change.old_price == change.new_price and "half_even" not in change.words:
        return VendorRule("polar-net-truncated.v1", polar_net)
    return VendorRule("polar-sides-half-even.v1", sides(round))


OURS = VendorRule(DAILY_HALF_UP.name, daily_half_up)

BY_VENDOR: dict[str, Callable[[Change], VendorRule]] = {
    "killbill": kill_bill_rule,
    "lago": lago_rule,
    "polar": polar_rule,
    "microsoft": microsoft_rule,
    "openmeter": lambda _: VendorRule("openmeter-ratio-half-up.v1", openmeter),
    "meteroid": lambda _: VendorRule("meteroid-sides-half-up.v1", sides(nearest)),
    "stripe": lambda _: VendorRule("stripe-sides-half-up.v1", sides(nearest)),
    "autumn": lambda _: VendorRule("autumn-sides-half-up.v1", sides(nearest)),
}
