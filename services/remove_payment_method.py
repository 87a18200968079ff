"""Remove a payment method; refused while a billing profile charges it."""

from uuid import UUID

from domain.refusals import PaymentProviderUnavailable
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt
from services.ports_payments import GatewayUnavailable
from services.till import Till


class RemovePaymentMethod(Command):
    payment_method_id: UUID


def remove_payment_method(ledger: Ledger, command: RemovePaymentMethod, till: Till) -> Receipt:
    """It is gone here first, then at the provider: nothing charges it any more in between."""
    receipt = _remove(ledger, command)
    method = ledger.payment_method(command.organization_id, command.payment_method_id)
    try:
        till.gateway.forget(method.card.token)
    except GatewayUnavailable:
        raise PaymentProviderUnavailable(asked_to="forget") from None  # the same command again forgets it there
    return receipt


@operation
def _remove(ledger: Ledger, command: RemovePaymentMethod) -> Receipt:
    standing = standing_of(ledger, command)
    may(command.actor, "keep payment methods")
    method = ledger.payment_method(command.organization_id, command.payment_method_id)
    method.refuse_stranger(command.actor.id)
    method.remove()
    at = ledger.now(standing.organization, method)
    return ledger.save(method, seen=standing.seen, because=command, at=at)
