"""The same commands without HTTP: the services called in one process, by as many threads as there are connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from adapters.composition import House
from adapters.settings import Settings as HouseSettings
from bench.drive import scored
from bench.program import Job, Score, Settings, Work, serve
from bench.served import Place, Places
from bench.workload import FINGERPRINT_KEY
from services.assign_licenses import AssignLicenses, assign_licenses
from services.resize_licenses import ResizeLicenses, resize_licenses


class Asker:
    """The purchasers' commands."""

    def __init__(self, house: House) -> None:
        self.ledger, self.till = house.ledger, house.till

    def assign(self, place: Place) -> object:
        command = AssignLicenses(
            organization_id=place.organization_id,
            command_id=uuid4(),
            actor=place.buyer,
            subscription_id=place.subscription_id,
            user_ids=(place.user_id,),
        )
        return assign_licenses(self.ledger, command, self.till)

    def resize(self, place: Place) -> object:
        command = ResizeLicenses(
            organization_id=place.organization_id,
            command_id=uuid4(),
            actor=place.buyer,
            subscription_id=place.subscription_id,
            total=place.total,
        )
        return resize_licenses(self.ledger, command, self.till)


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    places = Places(settings, share=1)
    house_settings = HouseSettings(
        database_url=SecretStr(settings["database"]),
        fingerprint_key=SecretStr(FINGERPRINT_KEY.hex()),
        home=Path(settings["home"]),
    )
    with House(house_settings) as house:
        asker = Asker(house)
        kinds: dict[str, Callable[[Place], object]] = {"assign": asker.assign, "resize": asker.resize}
        drawing = threading.Lock()

        def work(job: Job) -> Score:
            asked, do = places.of(job["what"], job["seed"]), kinds[job["what"]]
            started = time.perf_counter()
            ends = started + job["seconds"]

            def one_after_the_other(_: int) -> list[float]:
                took: list[float] = []
                while not took or time.perf_counter() < ends:
                    with drawing:
                        place = next(asked)
                    begun = time.perf_counter()
                    do(place)
                    took.append(time.perf_counter() - begun)
                return took

            with ThreadPoolExecutor(job["connections"]) as threads:
                took = [each for part in threads.map(one_after_the_other, range(job["connections"])) for each in part]
            return scored(took, time.perf_counter() - started, job)

        yield work


if __name__ == "__main__":
    serve(prepare)
