"""What goes wrong on our side: the database is away, somebody comes between, the same command comes twice."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.ports import LedgerUnavailable
from tests.simulation.laws import run
from tests.simulation.world import World

skips = st.integers(0, 4)  # saves that go well before


class Trouble:
    """Rules of a history; `world` is set by what they are mixed into."""

    world: World

    @rule(skip=skips, recorded=st.booleans())
    def database_fails(self, skip: int, recorded: bool) -> None:
        """At one of the next saves, before or after history has it: what was to come after that never comes."""

        def fail() -> None:
            raise LedgerUnavailable("the database is away")

        self.world.counts.faults[f"the database fails {'after' if recorded else 'before'} a save"] += 1
        self.world.disturb(skip, fail, after=recorded)

    @rule(skip=skips)
    def somebody_comes_between(self, skip: int) -> None:
        """Before one of the next saves a run takes whatever is due."""

        def come() -> None:
            self.world.between = True
            run(self.world)

        self.world.counts.faults["a run comes between"] += 1
        self.world.disturb(skip, come, after=False)

    @rule(skip=skips)
    def double_click(self, skip: int) -> None:
        """The next command comes twice at once."""
        self.world.doubled = skip

    @precondition(lambda self: self.world.answered is not None)
    @rule()
    def the_same_again(self) -> None:
        """What was carried out is answered with its first receipt, and not carried out again."""
        self.world.repeat_answered()
