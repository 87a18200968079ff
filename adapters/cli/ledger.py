"""ledger fork."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput, Halted
from adapters.cli.groups import ledger
from adapters.cli.relay import WhyOption, why_from
from adapters.cli.verb import verb
from adapters.postgres.follower import Source
from adapters.postgres.forks import ForkedMeanwhile, Forks

WHAT = (
    "this begins epoch {following} of the ledger, for ever: its events go out once more from the first one, under the"
    " source {source}, and every consumer stops at it until it is told to begin anew. Do it"
    " only after a restore that lost events, and while no API, relay or advance runs; say --yes if that is so"
)


@verb(ledger, "fork", role=OPERATOR, org=False)
def fork(
    call: Call,
    why: WhyOption,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Events were lost, and I know what this does.")] = False,
    epoch: Annotated[
        int | None,
        typer.Option(min=2, max=2**31 - 1, metavar="N", help="Default: after every epoch that the topic knows."),
    ] = None,
) -> Answer:
    """Begins a new epoch, after a restore that lost events which the topic may have.

    Whether events were lost it cannot know: the relay says so when it halts. Without --yes it says what it would do.

    Example: `seatledger ledger fork --why "restored from last night's backup" --yes`
    """
    call.refuse_members()
    why = why_from(why)
    with Forks(call.house.database_url) as forks:
        now = forks.ledger()
        known = max(now.epoch, now.highest_epoch_shown, 0 if epoch else epoch_published(call, str(now.ledger_id)))
        following = epoch or known + 1
        if following <= known:
            raise BadInput(f"epoch {known} is known already; say a later one, or leave --epoch out")
        source = Source(now.ledger_id, following).name
        if not yes:
            raise BadInput(WHAT.format(following=following, source=source))
        try:
            forks.fork(expected=now.epoch, following=following, why=why, actor_id=call.actor.id)
        except ForkedMeanwhile as meanwhile:
            raise Halted(str(meanwhile)) from None
    data = {"from_epoch": now.epoch, "to_epoch": following, "last_position": now.last_position, "source": source}
    said = (
        f"the ledger is {source} from position {now.last_position} on; now start relay and API again, and let every"
        " consumer begin anew"
    )
    return Answer(data, said)


def epoch_published(call: Call, ledger_id: str) -> int:
    """The highest epoch of this ledger that a topic names; 0 where none does, or no broker runs."""
    broker = call.house.running_broker
    if broker is None:
        return 0
    from adapters.kafka.public_events import editions
    from adapters.kafka.relay_position import epochs_in

    found = [epochs_in(broker.bootstrap, call.house.topics(edition), ledger_id) for edition in editions()]
    return max((epoch for epochs in found for epoch in epochs), default=0)
