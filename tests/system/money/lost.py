"""Plays a story while the provider does not answer one call, and sees whether it ends as if it had."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Literal, NamedTuple, cast, get_args

from adapters.payments.sandbox_faults import Faults, Step
from domain.payment import Payment
from domain.refusals import Refusal
from tests.system.money.endings import Ending, Streams, complaints_about, ending_of
from tests.system.money.kill_points import CALLS
from tests.system.money.played import Place, copied, go_on, streams_that_differ
from tests.system.money.stories import BOUGHT, STORIES
from tests.system.money.world import IN_TIME, opened

How = Literal["lost_request", "lost_answer"]
REFERENCE = re.compile(rb"sandbox_pay_\d+")
UNKNOWN = Payment.PaymentOutcomeUnknown.TOPIC


class Loss(NamedTuple):
    """The so-many-th call of a step in a stage is not answered; `find` as well: nor is the first question after it."""

    place: Place
    stage: int
    step: Step
    call: int
    how: How
    find_too: bool

    def __str__(self) -> str:
        return (
            f"{self.place.story}, stage {self.stage}, {self.how} of {self.step} {self.call}, find too: {self.find_too}"
        )


def losses_in(place: Place, traced: list[list[str]]) -> list[Loss]:
    """Every call of every stage, in each way."""
    found = []
    for stage, trace in enumerate(traced):
        calls = [name for name in trace if name in CALLS]
        for number, step in enumerate(calls):
            call = calls[: number + 1].count(step)
            for how in get_args(How):
                found += [Loss(place, stage, cast("Step", step), call, how, find_too) for find_too in (False, True)]
    return found


def lost(loss: Loss, expected: Ending) -> list[str]:
    """What is wrong after it, once the client has sent the command again and the run has come twice."""
    stages = STORIES[loss.place.story].stages
    with copied(loss.place) as (url, file), opened(url, file, BOUGHT) as world:
        for stage in stages[: loss.stage]:
            world.time.now = stage.at
            stage.act(world)
        stage = stages[loss.stage]
        world.time.now = stage.at
        world.sandbox.script(faults_of(loss))
        try:
            with suppress(Refusal):
                stage.act(world)
            with suppress(Refusal):
                stage.act(world)
            for _ in range(2):  # the first may meet the lost question
                world.runs(world.time.now + IN_TIME)
            go_on(world, stages[loss.stage + 1 :], "again")
        except Exception as error:  # noqa: BLE001 - one of many
            return [f"{loss}: {error!r}"]
        wrong = complaints_about(world)
        ending = ending_of(world).without_instants()
    expected = expected.without_instants()
    if ending.figures != expected.figures:
        wrong.append(f"it ends with {ending.figures} and not {expected.figures}")
    told, wanted = (ending._replace(streams=known(one.streams)) for one in (ending, expected))
    wrong += streams_that_differ(told, wanted)
    return [f"{loss}: {what}" for what in wrong]


def faults_of(loss: Loss) -> Faults:
    lose = Faults().lost_request if loss.how == "lost_request" else Faults().lost_answer
    faults = lose(loss.step, call=loss.call)
    if loss.place.story == "declined renewal" and (loss.stage, loss.how) == (0, "lost_request"):
        # The call that got lost has met the story's decline as well: the next one is to meet it.
        faults = faults.decline("charge", "insufficient_funds", call=loss.call + 1)
    return faults.lost_request("find") if loss.find_too and loss.step != "find" else faults


def known(streams: Streams) -> Streams:
    """Without what may be told more, that the outcome was unknown for a while, and without the provider's numbers."""
    return {
        one: [(topic, REFERENCE.sub(b"sandbox_pay", state)) for topic, state in events if topic != UNKNOWN]
        for one, events in streams.items()
    }
