"""What providers take of a currency: the minimums and steps that Stripe publishes, held by the sandbox as well."""

from services.ports_payments import Limits

# https://docs.stripe.com/currencies, "Minimum and maximum charge amounts"; in minor units of ISO 4217.
_MINIMUMS = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
_STEPS = {
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10),  # of three decimals cards move two
    "MGA": 100,  # two decimals in ISO 4217, none at card networks
}


def limits_of(currency: str) -> Limits:
    """The smallest amount and step of a currency; of one that the table does not have, anything from one step on."""
    step = _STEPS.get(currency, 1)
    return Limits(minimum_minor=_MINIMUMS.get(currency, step), step_minor=step)
