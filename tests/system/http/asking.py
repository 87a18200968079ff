"""Who asks the API what its document permits, and with which ids: for tools/soak/schema.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.system.http.places import Place, places_of
from tests.system.http.prepared import Prepared, in_days
from tests.system.http.requests import OPERATIONS, TABLE
from tests.system.http.seen import who_may
from tools.soak.schema import Asking

CALLERS = {"owner": "purchaser", "admin": "admin", "auditor": "auditor", "operator": None, "service": None}


def askings(address: str, there: Prepared) -> list[Asking]:
    """As each of these callers, about an organization in which there is one of everything."""
    for make in TABLE.values():
        make(there)
    return [asking(address, there, caller) for caller in CALLERS]


def each_by_one(callers: Sequence[Asking]) -> list[Asking]:
    """Each operation asked by the first of the callers who may do it."""
    firsts: dict[str, str] = {}
    for caller in callers:
        for name in OPERATIONS:
            if who_may(name, caller.caller):
                firsts.setdefault(name, caller.caller)
    return [
        replace(caller, operations=[name for name, first in firsts.items() if first == caller.caller])
        for caller in callers
    ]


def asking(address: str, there: Prepared, caller: str) -> Asking:
    api, role = there.who(caller), CALLERS[caller]
    assert api
    roles = {"header.Seatledger-Role": role} if role else {}
    return Asking(
        address,
        caller,
        headers={"Authorization": f"Bearer {api.bearer}"},
        constant={"path.organization": there.handle, **roles},
        ids=ids_by_place(there),
    )


def ids_by_place(there: Prepared) -> Mapping[str, list[str]]:
    """What stands in any of the prepared requests at a place, by the place's name."""
    found: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)  # by the name of the last step: member_id
    places: dict[str, set[str]] = defaultdict(set)
    for name, make in TABLE.items():
        for place in places_of(OPERATIONS[name.partition(" ")[0]]):
            if place.is_id or place.steps[-1:] == ("product_id",):
                places[named(place)].add(kind_of(place))
                if value := place.get(make(there)):
                    kinds[kind_of(place)].add(str(value))
    for named_place, of in places.items():
        for kind in of:
            found[named_place] |= kinds[kind]
    everything = set().union(*kinds.values())
    found["path.aggregate_id"] = everything
    found["header.If-Match"] = {"*"}
    found["body.token"] = {"tok_visa", "tok_mastercard", "tok_declined", "tok_visa_kr"}
    found["path.effective_on"] = {in_days(30)}
    return {place: sorted(ids) for place, ids in found.items() if ids}


def kind_of(place: Place) -> str:
    """What an id at this place is one of."""
    name = str([step for step in place.steps if isinstance(step, str)][-1])
    return {
        "target_id": "subscription_id",
        "subscription_ids": "subscription_id",
        "user_ids": "member_id",
        "purchaser_id": "member_id",
    }.get(name, name)


def named(place: Place) -> str:
    """As schemathesis names it: `body.user_ids[*]`."""
    steps = "".join("[*]" if step == 0 else f".{step}" for step in place.steps)
    return f"{place.in_}{steps}"
