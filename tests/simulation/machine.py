"""The machine: a random beginning, random acts, and the laws that no history may break."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from adapters.payments.sandbox_faults import FaultKind, Faults
from tests.simulation import audit_laws, laws
from tests.simulation.beginning import Beginning, Counts
from tests.simulation.rules_money import MONEY_STEPS, Money
from tests.simulation.rules_purchases import Purchases
from tests.simulation.rules_time import Time
from tests.simulation.rules_trouble import Trouble
from tests.simulation.world import World

CURRENCIES = ("USD", "JPY", "KWD")
COUNTRIES = ("US", "DE", "CH", "JP", "HU", "KR")
TRICKY_DAYS = [date(2024, 2, 29), date(2024, 1, 31), date(2023, 1, 30), date(2025, 8, 31), date(2023, 12, 29)]
days = st.one_of(st.sampled_from(TRICKY_DAYS), st.dates(date(2023, 1, 1), date(2025, 12, 31)))
prices = st.one_of(st.integers(0, 60), st.integers(61, 20_000))
beginnings = st.builds(
    lambda day, minutes, **more: Beginning(at=datetime.combine(day, time(), UTC) + timedelta(minutes=minutes), **more),
    day=days,
    minutes=st.integers(0, 24 * 60 - 1),
    currency=st.sampled_from(CURRENCIES),
    country=st.sampled_from(COUNTRIES),
    prices=st.tuples(prices, prices, prices, prices),
)
purchases = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=4)
troubles = st.one_of(st.none(), st.none(), st.integers(0, 2**16))
TROUBLE: dict[FaultKind, float] = {"lost_answer": 0.05, "lost_request": 0.05, "decline": 0.05}

AT_REST = (
    laws.the_provider_agrees,
    laws.nothing_hangs,
    laws.sums_agree,
    laws.nothing_is_owed_to_payers,
    laws.who_owes_is_in_grace,
    laws.who_is_active_has_been_charged,
    laws.cycles_cover_a_life,
    laws.lines_are_charged_as_they_say,
)


class BillingHistory(Purchases, Money, Time, Trouble, RuleBasedStateMachine):
    """One random history."""

    counts = Counts()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Beginning(at=datetime(2025, 1, 31, 9, tzinfo=UTC)), counts=self.counts)

    @initialize(beginning=beginnings, trouble=troubles, bought=purchases)
    def begin(self, beginning: Beginning, trouble: int | None, bought: list[tuple[int, int, int]]) -> None:
        self.world.sandbox.close()
        self.world = World(beginning, counts=self.counts)
        for buyer, offer, licenses in bought:
            self.purchase(buyer, offer, licenses)
        if trouble is not None:
            self.world.sandbox.script(Faults.seeded(trouble, TROUBLE, steps=MONEY_STEPS))

    @invariant()
    def after_every_step(self) -> None:
        self.counts.steps += 1
        laws.nothing_is_held_for_nothing(self.world)

    def teardown(self) -> None:
        """Comes to rest, and looks at everything."""
        self.counts.laws["histories"] += 1
        try:
            if not self.world.reading.broken:
                self.look_at_everything()
        finally:
            self.world.sandbox.close()

    def look_at_everything(self) -> None:
        laws.come_to_rest(self.world)
        for law in AT_REST:
            law(self.world)
            self.counts.laws[law.__name__.replace("_", " ")] += 1
        laws.replays_from_any_snapshot(self.world, self.world.ids)
        self.counts.laws["replays from any snapshot"] += 1
        audit_laws.what_auditors_read_agrees(self.world)
        audit_laws.every_moment_can_be_told(self.world, self.world.ids)
        self.counts.laws["auditors can tell every moment"] += 1
