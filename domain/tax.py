"""Tax: a rate by country, one rounding for each document and rate."""

from pydantic import Field

from domain.kernel import Value
from domain.money import half_up

PPM = 1_000_000


class TaxRate(Value):
    """The rate that a document is taxed at; `rate_ppm` in parts per million: 19 % is 190,000."""

    country: str = Field(pattern="^[A-Z]{2}$")
    name: str  # as it is printed: VAT, GST; empty where there is none
    rate_ppm: int = Field(ge=0, lt=PPM)

    def on(self, net_minor: int) -> int:
        """The tax of a sum of lines, in minor units."""
        return half_up(net_minor * self.rate_ppm, PPM)
