"""What the docstrings of the payment port promise, as checks that every provider is put through."""

from tests.adapters.payments import contract_cards, contract_charges, contract_holds, contract_refunds
from tests.adapters.payments.contract_provider import PROMISES, Provider

PARTS = (contract_cards, contract_charges, contract_holds, contract_refunds)  # importing them makes the promises

__all__ = ["PARTS", "PROMISES", "Provider"]
