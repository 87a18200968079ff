"""Disclose: whether a value that somebody kept is the one that history committed to, also after it was erased."""

import hmac
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic_core import from_json

from domain.kernel import Value
from domain.personal import commitment_of, refs_within
from domain.refusals import NotFound
from services.command import Actor, Text
from services.fact_origins import origins_of
from services.ledger import Ledger
from services.ports_privacy import FactRegister
from services.read_history import may_audit


class DiscloseFact(Value):
    """`value` and `salt` are what somebody kept, as an export has them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    organization_id: UUID
    actor: Actor
    fact_id: UUID
    value: Text = Field(max_length=100_000, repr=False)
    salt: str = Field(pattern="^[0-9a-f]{64}$", repr=False)


class Disclosure(Value):
    """What the value comes to, and the first event that committed to the fact."""

    matches: bool
    fact_id: UUID
    commitment: str  # of history
    aggregate_id: UUID
    event: str
    position: int
    organization_seq: int
    chain_hash: str


def disclose_fact(ledger: Ledger, register: FactRegister, query: DiscloseFact) -> Disclosure:
    """For those who audit. The value is theirs already: nothing personal is told by the answer.

    Where the fact still is, it says where in history it came from; of one that was erased all events are looked at.
    """
    may_audit(ledger, query)
    there = register.by_id(query.organization_id, [query.fact_id])
    origins = origins_of(ledger, query.organization_id, there)
    for event in origins.values() or ledger.history.mentioning(query.organization_id, str(query.fact_id)):
        for _, ref in refs_within(from_json(event.state)):
            if ref.fact_id == query.fact_id:
                kept = commitment_of(fact_id=query.fact_id, salt=bytes.fromhex(query.salt), value=query.value)
                return Disclosure(
                    matches=hmac.compare_digest(kept, ref.commitment),
                    fact_id=ref.fact_id,
                    commitment=ref.commitment,
                    aggregate_id=event.originator_id,
                    event=event.topic.removeprefix("seatledger."),
                    position=event.position,
                    organization_seq=event.organization_seq,
                    chain_hash=event.chain_hash.hex(),
                )
    raise NotFound(what="personal fact", key=query.fact_id)
