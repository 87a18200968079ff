"""The keys under which a provider knows our calls: payment id, attempt and step."""

from uuid import UUID

from services.ports_payments import PaymentHandle


class IdempotencyKeyReused(Exception):
    """A key came again with another content: a defect of ours, never to be retried."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the provider's key {key} was used before, with another content")
        self.key = key


def key_of(handle: PaymentHandle, step: str) -> str:
    return f"{handle.payment_id}:{handle.attempt}:{step}"


def refund_key(handle: PaymentHandle, refund_id: UUID) -> str:
    return key_of(handle, f"refund:{refund_id}")
