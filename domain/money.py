"""Money: whole minor units of a currency; a fraction is rounded once, half up, and of its magnitude."""


def half_up(numerator: int, denominator: int) -> int:
    """The quotient to the nearest whole, a half away from zero; `denominator` is positive."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude
