"""The same relay on the broker that comes with pip: it relays. No claim about exactly-once is made there."""

from __future__ import annotations

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.tansu import EmbeddedTansu
from adapters.embedded.throw_away import throw_away_home
from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import relayed


def test_it_relays_and_goes_on_and_begins_anew_when_the_broker_has_forgotten_everything(
    postgres: EmbeddedPostgres,
) -> None:
    with (
        throw_away_home() as home,
        EmbeddedTansu(home) as tansu,
        relayed(postgres, tansu.bootstrap) as here,
    ):
        here.write(members=5)
        assert here.relay() is Ending.STOPPED
        here.write(members=5, saves=3)
        assert here.relay() is Ending.STOPPED
        here.assert_topic_is_the_ledger()
        tansu.restart()
        here.write(members=5)
        assert here.relay() is Ending.STOPPED
        here.assert_topic_is_the_ledger()
