"""An organization in which there is one of everything, and somebody of every kind to ask for it.

Each thing is made when it is first asked for, so that an organization costs no more than what is looked at in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import split
from tests.adapters.http.conftest import Api, the_offer
from tests.adapters.http.following import until

NUMBERS = count(1)
NOT_SEALED_YET = 409
PERSONAL = "Canary"  # part of every fact that is personal
PEOPLE: Mapping[str, str] = {
    "ben": "member",  # who owns what there is
    "nina": "member",  # whom things are done to
    "gina": "guest",
    **dict.fromkeys(["david", "erin", "frank", "fiona", "cynthia", "melissa", "dora", "rose"], "member"),
}
PROFILE_ROLES = {"erin": "contributor", "frank": "invoice_manager", "fiona": "reader", "nina": "reader"}
ROLES = {"cynthia": "billing_reader", "melissa": "auditor", "nina": "auditor", "dora": "admin", "rose": "admin"}

MEMBERS = {
    "owner": ("ben", "purchaser"),
    "purchaser": ("david", "purchaser"),
    "contributor": ("erin", "purchaser"),
    "invoice manager": ("frank", "purchaser"),
    "reader": ("fiona", "purchaser"),
    "guest": ("gina", "purchaser"),
    "billing reader": ("cynthia", "billing_reader"),
    "auditor": ("melissa", "auditor"),
    "deactivated": ("dora", None),  # in whatever role is usual
    "removed": ("rose", None),
}


@dataclass
class Prepared:
    """An organization; `there["subscription"]` is the id of the one that is meant, which is made where it is not."""

    chris: Api  # its admin
    elsewhere: Api  # the admin of another one
    ids: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        if name not in self.ids:
            self.ids |= maker_of(name)(self, name)
        return self.ids[name]

    @property
    def handle(self) -> str:
        return str(self.chris.handle)

    @property
    def operator(self) -> Api:
        return self.chris.of_the_house("operator")

    @property
    def position(self) -> int:
        """Of the last command: queries from here on know of everything."""
        return self.chris.known["position"]

    def member(self, name: str, role: str | None = "purchaser") -> Api:
        _ = self[f"member:{name}"]
        return self.chris.as_(f"{name}@contoso.com", role)

    def who(self, caller: str) -> Api | None:
        """The API as a kind of caller asks it; None: without a token."""
        if caller in MEMBERS:
            name, role = MEMBERS[caller]
            if name in ROLES:
                _ = self[f"role:{name}"]
            return self.member(name, role)
        match caller:
            case "no token":
                return None
            case "elsewhere":
                return replace(self.elsewhere, role=None).within(self.handle)
            case "admin":
                return self.chris
            case _:
                return self.chris.of_the_house(caller)


def prepared(operator: Api, *, elsewhere: Api | None = None, **facts: Any) -> Prepared:
    """A new organization."""
    return Prepared(founded(operator, **facts), elsewhere or founded(operator))


def founded(operator: Api, **facts: Any) -> Api:
    """An organization of its own, with nobody but its admin."""
    handle = f"prepared-{next(NUMBERS)}"
    admin = {"user_name": "chris@contoso.com", "display_name": f"Chris {PERSONAL}"}
    path = f"/v1/organizations/{handle}"
    operator.post(path, {"country": "US", "currency": "USD", "simulation": True, "first_admin": admin, **facts})
    return replace(operator.as_("chris@contoso.com", "admin"), handle=handle)


Maker = Callable[[Prepared, str], Mapping[str, str]]


def maker_of(name: str) -> Maker:
    kind, colon, _ = name.partition(":")
    return MAKERS[kind + colon]


def people(there: Prepared, _: str) -> Mapping[str, str]:
    rows = [
        {"user_name": f"{name}@contoso.com", "display_name": f"{name} {PERSONAL}", "kind": kind}
        for name, kind in PEOPLE.items()
    ]
    there.chris.post("/members", {"rows": rows})
    found = there.chris.get("/members")["items"]
    return {f"member:{one['user_name'].partition('@')[0]}": one["member_id"] for one in found}


def role(there: Prepared, name: str) -> Mapping[str, str]:
    """The member has the role; of the two who are gone it is one that they had."""
    _, _, whose = name.partition(":")
    member_id = there[f"member:{whose}"]
    there.chris.post("/roles", {"member_id": member_id, "role": ROLES[whose]})
    if whose == "dora":
        there.chris.post(f"/members/{member_id}/deactivation")
    if whose == "rose":
        there.chris.done("DELETE", f"/members/{member_id}")
    return {name: ROLES[whose]}


def access(there: Prepared, _: str) -> Mapping[str, str]:
    """What an auditor may read who asks for nothing."""
    auditor_id = there["role:nina"] and there["member:nina"]
    body = {"auditor_id": auditor_id, "purpose": "tax_audit", "ends_at": f"{in_days(30)}T00:00:00Z"}
    return {"grant": there.chris.post("/access-grants", body)["grant_id"]}


def kept_fact(there: Prepared, _: str) -> Mapping[str, str]:
    """What the owner kept of their own export."""
    fact = there.chris.post(f"/members/{there['member:ben']}/exports")["facts"][0]
    return {name: fact[name] for name in ("fact_id", "value", "salt")}


def seal(there: Prepared, _: str) -> Mapping[str, str]:
    """An event that can be proved, and the size of a signed tree in which it is: a sealer is at work."""
    position = str(there["subscription"] and there.position)
    auditor = there.who("auditor")
    assert auditor
    until(lambda: auditor.ask("GET", f"/audit/proofs/{position}").status_code != NOT_SEALED_YET)
    note = auditor.ask("GET", "/audit/checkpoint").text
    return {"sealed": position, "size": str(Checkpoint.parse(split(note)[0]).size)}


def card(there: Prepared, name: str) -> Mapping[str, str]:
    """A card of the owner's."""
    token = f"tok_visa:{name.partition(' ')[0]}"
    body = {"token": token, "holder": f"Ben {PERSONAL}", "address": f"{PERSONAL} Street 1"}
    return {name: there.member("ben").post("/payment-methods", body)["payment_method_id"]}


def profile(there: Prepared, _: str) -> Mapping[str, str]:
    """The owner's, on which others have roles."""
    ben = there.member("ben")
    bill_to = {"country": "US", "bill_to": f"Contoso {PERSONAL}", "address": f"{PERSONAL} Street 1"}
    opened = ben.post("/billing-profiles", {"payment_method_id": there["card"], **bill_to})["billing_profile_id"]
    for name, role_there in PROFILE_ROLES.items():
        member_id = there[f"member:{name}"]
        ben.put(f"/billing-profiles/{opened}/roles/{member_id}", {"role": role_there})
    return {"profile": opened}


def admins_profile(there: Prepared, _: str) -> Mapping[str, str]:
    method_id = there.chris.post("/payment-methods", {"token": "tok_visa"})["payment_method_id"]
    opened = there.chris.post("/billing-profiles", {"payment_method_id": method_id, "country": "US"})
    return {"admin's profile": opened["billing_profile_id"]}


def purchase(there: Prepared, name: str) -> Mapping[str, str]:
    """The owner's: one that goes on, one that ends with its term, one that has ended."""
    _ = there["profile"]
    return bought(there, there.member("ben"), name, {})


def central_purchase(there: Prepared, name: str) -> Mapping[str, str]:
    """The same of the admin's."""
    _ = there["admin's profile"]
    return bought(there, there.chris, name, {"channel": "central"})


def bought(there: Prepared, by: Api, name: str, more: Mapping[str, str]) -> Mapping[str, str]:
    done = by.post("/subscriptions", {"offer_id": there["offer"], "licenses": 5, **more})
    path = f"/subscriptions/{done['subscription_id']}"
    if name.endswith("leaving"):
        reason = {"when": "term_end", "reason": "other", "feedback": f"from {PERSONAL}"}
        by.post(f"{path}/cancellation", reason)
    elif name.endswith("ended"):
        by.post(f"{path}/cancellation", {"when": "now", "reason": "other"})
    else:
        by.post(f"{path}/assignments", {"user_ids": [there["member:nina"]]})
        by.put(f"{path}/scheduled-licenses", {"total": 4})
    return {name: done["subscription_id"], f"invoice:{name}": done["invoice_id"], f"pool:{name}": done["pool_id"]}


def of_purchase(there: Prepared, name: str) -> Mapping[str, str]:
    """What comes with it."""
    _ = there[name.partition(":")[2]]
    return {}


def offer(there: Prepared, _: str) -> Mapping[str, str]:
    """One that everybody buys."""
    offer_id = the_offer(there.operator)
    terms = there.operator.get(f"/v1/catalog/offers/{offer_id}")["terms"]
    return {"offer": offer_id, "product": terms["product_id"]}


def catalog(there: Prepared, _: str) -> Mapping[str, str]:
    """An offer that nobody buys, with a price that is scheduled; and one that is to be withdrawn."""
    names = {"listed offer": f"listed-{uuid4()}", "leaving offer": f"leaving-{uuid4()}"}
    products = [{"product_id": one, "name": one, "self_service": True} for one in names.values()]
    terms = {"term": "P1M", "plan": "monthly", "currency": "USD", "maximum": 10}
    offers = [{"terms": {"product_id": one, **terms}, "unit_price_minor": 100} for one in names.values()]
    operator = there.operator
    told = operator.post("/v1/catalog/imports", {"products": products, "offers": offers})["events"]
    found = {event["data"]["terms"]["product_id"]: event["subject"] for event in told if "terms" in event["data"]}
    ids = {name: found[product_id] for name, product_id in names.items()}
    price = {"effective_on": in_days(30), "unit_price_minor": 200}
    operator.post(f"/v1/catalog/offers/{ids['listed offer']}/prices", price)
    operator.post(f"/v1/catalog/offers/{ids['leaving offer']}/withdrawal", {"withdrawn_on": in_days(30)})
    return ids


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


MAKERS: Mapping[str, Maker] = {
    "member:": people,
    "role:": role,
    "grant": access,
    **dict.fromkeys(["fact_id", "value", "salt"], kept_fact),
    **dict.fromkeys(["sealed", "size"], seal),
    "card": card,
    "spare card": card,
    "profile": profile,
    "admin's profile": admins_profile,
    **dict.fromkeys(["subscription", "leaving", "ended"], purchase),
    **dict.fromkeys(["central", "central leaving", "central ended"], central_purchase),
    "invoice:": of_purchase,
    "pool:": of_purchase,
    "offer": offer,
    "product": offer,
    "listed offer": catalog,
    "leaving offer": catalog,
}
