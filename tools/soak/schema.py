"""The running API is asked what its OpenAPI document permits, and what it does not, with ids that are there and others.

Whatever comes back must be as the document says, and never an error of the server's.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.http.problems import REFUSED

PHASES = ("coverage", "fuzzing", "stateful")
REAL = 0.7  # of the ids are those of things that are there
LONGEST_FINDING = 2_000
TOLD_EVERY = 1_000


@dataclass(frozen=True)
class SchemaOptions:
    """How many requests of each operation; with the same seed the same ones, as far as the API answers the same."""

    seed: int
    examples: int = 20  # beside the edges, which are some seventy of each operation
    phases: Sequence[str] = PHASES
    requests: int = 0  # goes on, with other seeds, until there are so many
    methods: Sequence[str] = ()  # that are tried where they are not served; none: all that there are


@dataclass(frozen=True)
class Asking:
    """Who asks, where, and which ids there are, by the names of the parameters and fields that take them."""

    address: str
    caller: str
    headers: Mapping[str, str]
    constant: Mapping[str, str]
    ids: Mapping[str, Sequence[str]]
    operations: Sequence[str] = ()  # by their ids; none: all of them


@dataclass
class SchemaOutcome:
    """A run, as it is kept in the evidence."""

    seed: int
    examples: int
    rounds: int = 0  # each with a seed of its own: the first, and those after it
    seconds: float = 0.0
    requests: int = 0
    phases: dict[str, int] = field(default_factory=dict)  # requests
    callers: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    succeeded: dict[str, int] = field(default_factory=dict)  # by operation
    checks: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def stood(self) -> bool:
        return not self.findings and self.requests > 0


def run_schema(
    options: SchemaOptions, callers: Callable[[], Sequence[Asking]], tell: Callable[[str], None] = lambda _: None
) -> SchemaOutcome:
    """All phases as each of the callers, again and again until there are enough requests.

    `callers` are made for each round: what there was may be gone after it.
    """
    outcome = SchemaOutcome(options.seed, options.examples)
    counts = Counts()
    started = time.monotonic()
    while True:
        for asking in callers():
            for finding in ask(replace(options, seed=options.seed + outcome.rounds), asking, counts, tell):
                outcome.findings.append(finding)
                tell(f"FOUND   {finding}")
        outcome.rounds += 1
        if outcome.findings or counts.requests.total() >= options.requests:
            break
    outcome.seconds = round(time.monotonic() - started, 1)
    outcome.requests = counts.requests.total()
    outcome.phases, outcome.callers = dict(counts.phases), dict(counts.requests)
    outcome.statuses, outcome.succeeded = dict(counts.statuses), dict(counts.succeeded)
    outcome.checks = dict(counts.checks)
    return outcome


@dataclass
class Counts:
    requests: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)


def ask(options: SchemaOptions, asking: Asking, counts: Counts, tell: Callable[[str], None]) -> Iterator[str]:
    """All phases as one caller; what is found, each once."""
    import schemathesis  # noqa: PLC0415 - a tool of development, which the rest of the soak does without
    from schemathesis.engine import events, from_schema  # noqa: PLC0415

    config = schemathesis.Config.from_dict(settings_of(options, asking))
    schema: Any = schemathesis.openapi.from_url(f"{asking.address}/openapi.json", config=config)
    if asking.operations:
        schema = schema.include(operation_id=list(asking.operations))
    schema.hook("filter_failure")(is_broken)
    seen: set[str] = set()
    told = counts.requests.total()
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                count(event, asking, counts)
                if counts.requests.total() >= told + TOLD_EVERY:
                    told = counts.requests.total()
                    tell(f"{told:,} requests, up to the {asking.caller}, {event.phase.value}")
                for finding in findings_of(event):
                    if finding not in seen:
                        seen.add(finding)
                        yield f"{asking.caller}, {event.phase.value}: {finding}"
            case events.NonFatalError() | events.FatalError():
                yield f"{asking.caller}: {event}"[:LONGEST_FINDING]
            case _:
                pass


# Well formed, and still refused by the form: what no schema can say.
REFUSED_BY_FORM = {
    "cursor_not_accepted": "",  # only those of earlier answers are good
    "if_match_malformed": "",  # a tag of something that is shown with fewer versions
    "bad_parameter": "no event has that position yet|say past_months, or since|a time with its zone|say as of when"
    "|say another rule or a corrected price|is no rule; name one of"
    "|only a central purchase is for somebody else",
    "bad_input": "say what changes|only a central purchase is for somebody else|must not contain the NUL character"
    "|should be a valid integer",  # 1.0 is one to JSON Schema; amounts here never pass through floating point
}


def is_broken(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Whether a failure is one: a request that is well formed may be refused by the rules of the business."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    problem = response.json()
    if problem["code"] in REFUSED:
        return False
    allowed = REFUSED_BY_FORM.get(problem["code"])
    return allowed is None or not re.search(allowed, problem["detail"])


def settings_of(options: SchemaOptions, asking: Asking) -> dict[str, Any]:
    """What schemathesis is told; nothing is left out of its checks."""
    return {
        "seed": options.seed,
        "base-url": asking.address,
        "headers": dict(asking.headers),
        "continue-on-failure": True,
        "request-timeout": 30,
        "dictionaries": {place: {"values": list(ids)} for place, ids in asking.ids.items()},
        "parameters": {
            **asking.constant,
            **{place: {"dictionary": place, "probability": REAL} for place in asking.ids},
        },
        "checks": {
            # A rule of the business may refuse what is well formed; see `is_broken`.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404"]},
            "missing_required_header": {"expected-statuses": ["400", "401", "428"]},  # 428: without If-Match
        },
        "generation": {"max-examples": options.examples, "database": "none", "no-shrink": True},
        "phases": {
            "examples": {"enabled": False},  # the document has none
            **{phase: {"enabled": phase in options.phases} for phase in PHASES},
            "coverage": {
                "enabled": "coverage" in options.phases,
                **({"unexpected-methods": list(options.methods)} if options.methods else {}),
            },
        },
    }


def count(event: Any, asking: Asking, counts: Counts) -> None:
    """What a scenario has asked and was answered."""
    recorder = event.recorder
    asked = len(recorder.interactions)
    counts.requests[asking.caller] += asked
    counts.phases[event.phase.value] += asked
    for case_id, interaction in recorder.interactions.items():
        status = interaction.response.status_code if interaction.response else 0
        counts.statuses[str(status)] += 1
        case = recorder.cases.get(case_id)
        if case is not None and 200 <= status < 300:  # noqa: PLR2004 - it was done
            counts.succeeded[case.value.operation.definition.raw["operationId"]] += 1
    for checks in recorder.checks.values():
        counts.checks.update(check.name for check in checks)


def findings_of(event: Any) -> list[str]:
    """The failures of a scenario: what was wrong, the answer, and how to send the request again, without the token."""
    found = []
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if (info := check.failure_info) is not None:
                asked = event.recorder.interactions.get(info.failure.case_id or case_id)
                answer = asked.response if asked else None
                said = f"{answer.status_code} {answer.text[:500]}" if answer else "no answer"
                text = f"{check.name}: {info.failure.title}: {info.failure.message}\n{said}\n{info.code_sample}"
                found.append(text[:LONGEST_FINDING])
    return found
