"""The parts of the house that the API uses: walled in by organization, and opened before the first call."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from uuid import UUID

from adapters.composition import House
from adapters.http.cursors import Cursors
from adapters.postgres.api_keys import ApiKeys
from adapters.postgres.feed import EventFeed
from adapters.postgres.follower import Follower
from adapters.postgres.session import API
from adapters.postgres.tree_pool import TreePool
from services.command import Actor
from services.list_catalog import Catalog
from services.ports import Directory
from services.till import Till

REMEMBERED_S = 5.0  # how long a user name is taken for the same member; what the member may is asked of history
REMEMBERED = 10_000


class ApiHouse:
    """The house for many threads at a time."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.database_url = house.database_url
        self.ledger = house.ledger
        self.directory = house.directory
        self.views = house.views
        self.billing_views = house.billing_views
        self.invoice_views = house.invoice_views
        self.mapper = house.mapper
        self.clock = house.clock
        self.settings = house.settings
        self.typesetter = house.typesetter
        self.holdings = house.holdings
        self.erasures = house.erasures
        self.catalog = Catalog(house.ledger)
        self.feed = EventFeed(house.database_url)  # outside the wall: it asks who may follow by itself
        self.api_keys = ApiKeys(house.database_url, role=API)
        self.trees = TreePool(house.database_url)
        _ = house.till
        with Follower(house.database_url) as follower:
            self.source = follower.source().name
        self.cursors = Cursors(house.settings.fingerprint_secret())
        self._members: OrderedDict[tuple[UUID, str], tuple[float, UUID]] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Closes what it has opened beside the house."""
        self.feed.close()
        self.api_keys.close()
        self.trees.close()

    def directory_for(self, actor: Actor, organization_id: UUID, reading: str) -> Directory:
        return self.house.directory_for(actor, organization_id, reading)

    def till_of(self, organization_id: UUID) -> Till:
        return self.house.till_of(organization_id)

    def member_named(self, organization_id: UUID, user_name: str) -> UUID | None:
        """The member with a user name; None: there is no such one."""
        key, now = (organization_id, user_name), time.monotonic()
        with self._lock:
            if (known := self._members.get(key)) and known[0] > now:
                return known[1]
        found = self.directory.member_ids(organization_id, [user_name])
        if user_name not in found:
            return None
        with self._lock:
            self._members[key] = now + REMEMBERED_S, found[user_name]
            while len(self._members) > REMEMBERED:
                self._members.popitem(last=False)
        return found[user_name]
