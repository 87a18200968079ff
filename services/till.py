"""The till: what moves money and what is charged on top of it."""

from typing import NamedTuple

from services.ports_payments import PaymentGateway, TaxRates


class Till(NamedTuple):
    """The ports of every service that charges."""

    gateway: PaymentGateway
    tax_rates: TaxRates
