"""The JSON form: amounts to calculate with and to read."""

import json

import pytest

from adapters.documents.invoice_json import invoice_json
from adapters.documents.words import percent
from services.ports_documents import ShownInvoice
from tests.adapters.documents.shown import CONTOSO, shown_invoice


def test_every_amount_stands_as_minor_units_and_as_a_decimal() -> None:
    told = invoice_json(shown_invoice())
    assert (told["net_minor"], told["net"]) == (140_000, "1400.00")
    assert (told["lines"][0]["unit_price_minor"], told["lines"][0]["unit_price"]) == (1_400, "14.00")
    [note] = told["credit_notes"]
    assert (note["total_minor"], note["total"]) == (-8_330, "-83.30")
    assert (note["lines"][0]["amount_minor"], note["lines"][0]["amount"]) == (-7_000, "-70.00")
    assert [payment["amount"] for payment in told["payments"]] == ["1666.00", "-83.30"]


@pytest.mark.parametrize(("exponent", "net"), [(0, "140000"), (3, "140.000")])
def test_decimals_are_those_of_the_currency(exponent: int, net: str) -> None:
    assert invoice_json(shown_invoice(currency_exponent=exponent))["net"] == net


def test_it_is_json_and_holds_the_whole_invoice() -> None:
    told = json.loads(json.dumps(invoice_json(shown_invoice())))
    assert told.keys() >= CONTOSO.keys()
    told["lines"] = told["credit_notes"] = ()  # they carry more than the model takes
    told["payments"] = ()
    back = ShownInvoice.model_validate({name: told[name] for name in CONTOSO})
    assert back == shown_invoice(lines=(), credit_notes=(), payments=())


@pytest.mark.parametrize(
    ("ppm", "words"), [(0, "0 %"), (190_000, "19 %"), (81_000, "8.1 %"), (255_000, "25.5 %"), (1, "0.0001 %")]
)
def test_rates_are_written_without_needless_zeros(ppm: int, words: str) -> None:
    assert percent(ppm) == words
