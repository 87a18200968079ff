"""Given what has happened, when something is asked, then this is told — or it is refused, and nothing has changed.

    Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(resized_to(5, THE_SAME_DAY))
        .then_told(event(LicensePool.LicensesResized, total=5, total_before=3))
        .leaving(total=5, free=4)

A fact is a function: the first one brings the aggregate about, the others act on it. Every history goes through its
stored bytes, before the question and after it: each scenario also proves that what was told can be replayed.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, Self, TypeVar

from domain.kernel import Aggregate, AggregateEvent, PydanticJSON, PydanticMapper, replay
from domain.refusals import Refusal

A = TypeVar("A", bound=Aggregate)

MAPPER = PydanticMapper(PydanticJSON())


class event:  # noqa: N801 - a word of the sentence
    """An event with these facts: happens where it is given, is expected where it is told."""

    def __init__(self, kind: type[AggregateEvent], /, **facts: Any) -> None:
        unknown = facts.keys() - kind.model_fields.keys()
        assert not unknown, f"{kind.__name__} has no {unknown}"
        self.kind, self.facts = kind, facts

    def __call__(self, aggregate: Aggregate) -> None:
        aggregate.tell(self.kind, **self.facts)

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({', '.join(f'{name}={fact!r}' for name, fact in self.facts.items())})"

    def __eq__(self, told: object) -> bool:
        return type(told) is self.kind and all(getattr(told, name) == fact for name, fact in self.facts.items())

    __hash__ = None  # type: ignore[assignment]  # it stands for many


class Scenario(Generic[A]):
    """One rule of an aggregate, told as given, when, then."""

    def __init__(self, kind: type[A]) -> None:
        self.kind = kind
        self.aggregate: A
        self.history: list[AggregateEvent] = []
        self.before: bytes | None = None
        self.refusal: Refusal | None = None

    def given(self, birth: Callable[[], A], *facts: Callable[[A], object]) -> Self:
        aggregate = birth()
        for fact in facts:
            fact(aggregate)
        self.history = stored_and_back(aggregate.collect_events())
        self.aggregate = self._replayed()
        assert self.aggregate == aggregate, "what was given replays into something else"
        self.before = self.aggregate.freeze()
        return self

    def when(self, ask: Callable[[A], object]) -> Self:
        return self._ask(lambda: ask(self.aggregate))

    def when_born(self, birth: Callable[[], A]) -> Self:
        """For the rules of a first event, with nothing given."""
        return self._ask(lambda: setattr(self, "aggregate", birth()))

    def then_told(self, *expected: event) -> Self:
        """Exactly these events, in this order, with these facts among theirs."""
        if self.refusal:
            raise AssertionError(f"refused: {self.refusal}") from self.refusal
        told = list(self.aggregate.collect_events())
        assert list(expected) == told
        self.history += stored_and_back(told)
        assert self._replayed() == self.aggregate, "what was told replays into something else"
        return self

    def then_told_nothing(self) -> Self:
        return self.then_told()

    def then_refused(self, expected: type[Refusal], /, **facts: Any) -> Self:
        """With these facts among the refusal's own; nothing was told and nothing has changed."""
        assert self.refusal is not None, f"told {self.aggregate.pending_events} instead of a {expected.__name__}"
        assert type(self.refusal) is expected, f"refused otherwise: {self.refusal!r}"
        assert facts == {name: self.refusal.facts.get(name) for name in facts}
        if self.before is not None:
            assert not self.aggregate.pending_events, f"refused, but told {self.aggregate.pending_events}"
            assert self.aggregate.freeze() == self.before, "refused, but changed"
        return self

    def leaving(self, **state: Any) -> Self:
        """What can be asked of the aggregate afterwards."""
        assert state == {name: getattr(self.aggregate, name) for name in state}
        return self

    def _ask(self, question: Callable[[], object]) -> Self:
        try:
            question()
        except Refusal as refusal:
            self.refusal = refusal
        return self

    def _replayed(self) -> A:
        aggregate = replay(self.history)
        assert isinstance(aggregate, self.kind)
        return aggregate


def stored_and_back(events: Iterable[Any]) -> list[AggregateEvent]:
    """What is read again of events that were stored."""
    return [MAPPER.to_domain_event(MAPPER.to_stored_event(told)) for told in events]
