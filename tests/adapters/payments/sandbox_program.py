"""A process that charges as fast as it can until it is killed, and says which charges it heard an answer to."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from adapters.payments.sandbox import Sandbox
from services.ports_payments import ChargeRequest, PaymentHandle


def main(path: str, name: str, card: str, end: int) -> None:
    """Charges payments of numbered ids; the same name is the same payments."""
    with Sandbox(Path(path), clock=lambda: datetime.now(UTC)) as sandbox:
        for number in range(end):
            payment_id = uuid5(NAMESPACE_OID, f"{name}:{number}")
            handle = PaymentHandle(payment_id, 1, card, datetime.now(UTC))
            sandbox.charge(ChargeRequest(handle, 1200, "USD", on_session=False, description="Visio"))
            sys.stdout.write(f"{payment_id}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
