"""What random histories found, each as the shortest story that shows it."""

from adapters.payments.sandbox_faults import Faults
from services.buy_subscription import BuySubscription, buy_subscription
from tests.simulation import laws
from tests.simulation.beginning import Beginning
from tests.simulation.world import World, utc


def a_world(**beginning: object) -> World:
    return World(Beginning(**{"at": utc(2025, 1, 31), **beginning}))  # type: ignore[arg-type]  # its own fields


def buys(world: World, licenses: int, offer: int = 0) -> None:
    command = world.command(BuySubscription, world.buyer(1), offer_id=world.offer_ids[offer], licenses=licenses)
    world.act(command, lambda command: buy_subscription(world.ledger, command, world.till))


def test_a_hold_that_could_not_be_taken_is_let_go_of() -> None:
    world = a_world()
    world.sandbox.script(Faults().decline("capture", "card_declined"))
    buys(world, licenses=1)
    [payment] = world.reading.payments.values()
    assert payment.status == "declined"
    assert not world.sandbox.holds()
    laws.come_to_rest(world)
    laws.the_provider_agrees(world)
