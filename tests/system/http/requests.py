"""A valid request of every operation about what is in a prepared organization: the one table that new ones go into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from adapters.http.app import routed
from tests.adapters.http.conftest import Api
from tests.system.http.prepared import NUMBERS, Prepared, in_days

DOCUMENT: dict[str, Any] = routed().openapi()
TO_ADD = (
    "{} is new: add a valid request of it to tests/system/http/requests.py (and what it is about to prepared.py),"
    " run `make matrix`, and read who may do it"
)


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document."""

    name: str
    method: str
    path: str
    document: Mapping[str, Any]

    def parameters(self, place: str) -> dict[str, Any]:
        """The schemas of its parameters in the path, the query or the headers."""
        return {one["name"]: one["schema"] for one in self.document.get("parameters", ()) if one["in"] == place}

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its body; none: it takes none."""
        content = self.document.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema") if content else None


@dataclass(frozen=True)
class Request:
    """What is sent beside who sends it."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


def operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, document in methods.items():
            yield Operation(document["operationId"], method.upper(), path, document)


OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in operations()}


def operation_of(name: str) -> Operation:
    """The operation of a name in the table, which may say about what it is."""
    return OPERATIONS[name.partition(" ")[0]]


def refuse_missing() -> None:
    """Every operation of the document stands in the table."""
    if missing := OPERATIONS.keys() - {operation_of(name).name for name in TABLE}:
        raise AssertionError("\n".join(TO_ADD.format(name) for name in sorted(missing)))


CENTRAL = " of a central purchase"
TABLE: Mapping[str, Callable[[Prepared], Request]] = {
    # The house.
    "is_alive": lambda _: Request(),
    "is_ready": lambda _: Request(),
    "show_metrics": lambda _: Request(),
    "explain_problem": lambda _: Request({"code": "not_found"}),
    "follow_events": lambda _: Request(query={"limit": 1}),
    # The catalog.
    "list_products": lambda _: Request(query={"limit": 1}),
    "show_offer": lambda there: Request(listed(there)),
    "import_catalog": lambda _: Request(body={"products": [new_product()]}),
    "schedule_price": lambda there: Request(listed(there), body={"effective_on": in_days(60), "unit_price_minor": 300}),
    "withdraw_price": lambda there: Request({**listed(there), "effective_on": in_days(30)}),
    "withdraw_offer": lambda there: Request(listed(there), body={"withdrawn_on": in_days(60)}),
    "revoke_withdrawal": lambda there: Request({"offer_id": there["leaving offer"]}),
    # The organization.
    "create_organization": lambda _: Request(
        {"organization": f"another-{next(NUMBERS)}"},
        body={"country": "US", "currency": "USD", "first_admin": {"user_name": "chris@contoso.com"}},
    ),
    "show_organization": lambda _: Request(),
    "import_members": lambda _: Request(body={"rows": [{"user_name": "ina@contoso.com"}]}),
    "list_members": lambda there: Request(query={"name": there["member:nina"] and "n"}),
    "deactivate_member": lambda there: Request(nina(there)),
    "reactivate_member": lambda there: Request({"member_id": there["role:dora"] and there["member:dora"]}),
    "remove_member": lambda there: Request(nina(there)),
    "list_roles": lambda _: Request(),
    "grant_role": lambda there: Request(body={**nina(there), "role": "billing_reader"}),
    "revoke_role": lambda there: Request({**nina(there), "role": there["role:nina"]}),
    "list_policies": lambda _: Request(),
    "set_policy": lambda there: Request({"product_id": there["product"]}, body={"policy": "Disabled"}),
    # Subscriptions.
    "list_purchases": lambda there: Request(query={"purchaser_id": there["subscription"] and there["member:ben"]}),
    "list_my_products": lambda there: Request(query={"channel": there["subscription"] and "self_service"}),
    "export_purchases": lambda there: Request(query={"purchaser_id": there["subscription"] and there["member:ben"]}),
    "show_purchase": lambda there: Request(of("subscription", there)),
    "list_assignments": lambda there: Request(of("subscription", there)),
    "list_orders": lambda there: Request(of("subscription", there)),
    "buy_subscription": lambda there: Request(body=order(there)),
    "reactivate_subscription": lambda there: Request(of("ended", there), body={"billing_profile_id": there["profile"]}),
    "set_recurring_billing": lambda there: Request(of("subscription", there), body={"on": False}),
    "cancel_subscription": lambda there: Request(
        of("subscription", there), body={"when": "term_end", "reason": "other"}
    ),
    "withdraw_cancellation": lambda there: Request(of("leaving", there)),
    "adopt_subscription": lambda there: Request(
        of("subscription", there),
        body={"reason": "consolidation", "billing_profile_id": there["admin's profile"]},
    ),
    "move_users": lambda there: Request(of("subscription", there), body={"target_id": there["central"]}),
    "cancel_taken_over": lambda there: Request(of("subscription", there), body={"reason": "other"}),
    "resize_licenses": lambda there: Request(of("subscription", there), body={"total": 6}),
    "schedule_licenses": lambda there: Request(of("subscription", there), body={"total": 3}),
    "withdraw_scheduled_licenses": lambda there: Request(of("subscription", there)),
    "assign_licenses": lambda there: Request(of("subscription", there), body={"user_ids": [there["member:david"]]}),
    "unassign_licenses": lambda there: Request(body=license_of("subscription", there)),
    "quote_purchase": lambda there: Request(query=order(there)),
    "quote_resize": lambda there: Request(of("subscription", there), {"total": 6}),
    "quote_cancellation": lambda there: Request(of("subscription", there), {"when": "now"}),
    "quote_renewal": lambda there: Request(of("subscription", there)),
    "quote_reactivation": lambda there: Request(of("ended", there), {"billing_profile_id": there["profile"]}),
    # Those of an admin.
    "show_purchase" + CENTRAL: lambda there: Request(of("central", there)),
    "buy_subscription" + CENTRAL: lambda there: Request(body=central_order(there)),
    "reactivate_subscription" + CENTRAL: lambda there: Request(
        of("central ended", there), body={"billing_profile_id": there["admin's profile"]}
    ),
    "set_recurring_billing" + CENTRAL: lambda there: Request(of("central", there), body={"on": False}),
    "cancel_subscription" + CENTRAL: lambda there: Request(
        of("central", there), body={"when": "term_end", "reason": "other"}
    ),
    "withdraw_cancellation" + CENTRAL: lambda there: Request(of("central leaving", there)),
    "resize_licenses" + CENTRAL: lambda there: Request(of("central", there), body={"total": 6}),
    "schedule_licenses" + CENTRAL: lambda there: Request(of("central", there), body={"total": 3}),
    "withdraw_scheduled_licenses" + CENTRAL: lambda there: Request(of("central", there)),
    "assign_licenses" + CENTRAL: lambda there: Request(
        of("central", there), body={"user_ids": [there["member:david"]]}
    ),
    "unassign_licenses" + CENTRAL: lambda there: Request(body=license_of("central", there)),
    "quote_purchase" + CENTRAL: lambda there: Request(query=central_order(there)),
    "quote_resize" + CENTRAL: lambda there: Request(of("central", there), {"total": 6}),
    "quote_cancellation" + CENTRAL: lambda there: Request(of("central", there), {"when": "now"}),
    "quote_renewal" + CENTRAL: lambda there: Request(of("central", there)),
    "quote_reactivation" + CENTRAL: lambda there: Request(
        of("central ended", there), {"billing_profile_id": there["admin's profile"]}
    ),
    # Cards, profiles, invoices.
    "list_payment_methods": lambda there: Request(query={"limit": there["card"] and 50}),
    "show_payment_method": lambda there: Request(charged(there)),
    "add_payment_method": lambda _: Request(body={"token": "tok_mastercard"}),
    "edit_payment_method": lambda there: Request(charged(there), body={"holder": "B. Andrews"}),
    "remove_payment_method": lambda there: Request(spare(there)),
    "list_billing_profiles": lambda there: Request(query={"limit": there["profile"] and 50}),
    "show_billing_profile": lambda there: Request(billed(there)),
    "open_billing_profile": lambda there: Request(body=spare(there)),
    "change_bill_to": lambda there: Request(billed(there), body={"bill_to": "Contoso Ltd"}),
    "replace_payment_method": lambda there: Request(billed(there), body=spare(there)),
    "set_po_number": lambda there: Request(billed(there), body={"po_number": "PO 7"}),
    "grant_profile_role": lambda there: Request(
        {**billed(there), "member_id": there["member:david"]}, body={"role": "reader"}
    ),
    "revoke_profile_role": lambda there: Request({**billed(there), "member_id": there["member:nina"]}),
    "list_invoices": lambda there: Request(query={**billed(there), "limit": there["subscription"] and 50}),
    "show_invoice": lambda there: Request(invoiced(there)),
    "print_invoice": lambda there: Request(invoiced(there)),
    "explain_invoice": lambda there: Request(invoiced(there)),
    "pay_invoice": lambda there: Request(invoiced(there), body={"payment_method_id": there["card"]}),
    # Auditing.
    "read_history": lambda there: Request({"aggregate_id": there["subscription"]}),
    "show_checkpoint": lambda there: Request({"organization": there["sealed"] and there.handle}),
    "show_checkpoint_of_size": lambda there: Request({"size": there["size"]}),
    "prove_event": lambda there: Request({"position": there["sealed"]}),
    "prove_growth": lambda there: Request(query={"earlier": there["size"]}),
    # People.
    "erase_personal_facts": lambda there: Request(
        {"member_id": there["role:rose"] and there["member:rose"]}, body={"reason": "asked_by_subject"}
    ),
    "export_personal_facts": lambda there: Request({"member_id": there["member:ben"]}),
    "grant_access": lambda there: Request(body=access_to(there)),
    "list_access_grants": lambda there: Request(query={"at_least": there["grant"] and there.position}),
    "revoke_access": lambda there: Request(
        {"grant_id": there["grant"], "auditor_id": there["role:nina"] and there["member:nina"]}
    ),
    "read_facts": lambda there: Request({"aggregate_id": there["member:ben"]}),
    "disclose_fact": lambda there: Request(body={name: there[name] for name in ("fact_id", "value", "salt")}),
    "show_state_at": lambda there: Request({"aggregate_id": there["subscription"]}, {"at": "999999999999999"}),
    "show_states_at": lambda there: Request(query={"at": there["subscription"] and "999999999999999"}),
    "show_read_model_at": lambda there: Request(
        {"table": "purchases"}, {"at": there["subscription"] and "999999999999999"}
    ),
    "show_differences": lambda there: Request(query={"since": "1", "aggregate_id": there["subscription"]}),
    "read_timeline": lambda there: Request(query={"limit": there["subscription"] and 50}),
    "show_held_on": lambda there: Request(query={"subscription_id": there["subscription"], "on": in_days(0)}),
    "show_totals": lambda there: Request(query={"since": there["subscription"] and "2020-01-01"}),
    "export_totals": lambda there: Request(query={"since": there["subscription"] and "2020-01-01"}),
    "derive_invoices": lambda there: Request({"organization": there["subscription"] and there.handle}),
    "rerate_invoices": lambda there: Request(query={"price": there["subscription"] and "CFQ7TTC0H9MP=1"}),
    "export_audit_pack": lambda there: Request(query={"kept": there["size"]}),
}


def of(name: str, there: Prepared) -> dict[str, str]:
    return {"subscription_id": there[name]}


def nina(there: Prepared) -> dict[str, str]:
    return {"member_id": there["member:nina"]}


def listed(there: Prepared) -> dict[str, str]:
    return {"offer_id": there["listed offer"]}


def charged(there: Prepared) -> dict[str, str]:
    """The card that the profile charges."""
    return {"payment_method_id": there["profile"] and there["card"]}


def spare(there: Prepared) -> dict[str, str]:
    return {"payment_method_id": there["profile"] and there["spare card"]}


def billed(there: Prepared) -> dict[str, str]:
    return {"billing_profile_id": there["profile"]}


def invoiced(there: Prepared) -> dict[str, str]:
    return {"invoice_id": there["invoice:subscription"]}


def license_of(name: str, there: Prepared) -> dict[str, Any]:
    return {"subscription_ids": [there[name]], "user_ids": [there["member:nina"]]}


def order(there: Prepared) -> dict[str, Any]:
    return {"offer_id": there["offer"], "licenses": 1, "billing_profile_id": there["profile"]}


def central_order(there: Prepared) -> dict[str, Any]:
    return {
        "offer_id": there["offer"],
        "licenses": 1,
        "channel": "central",
        "purchaser_id": there["member:chris"],
        "billing_profile_id": there["admin's profile"],
    }


def access_to(there: Prepared) -> dict[str, Any]:
    auditor_id = there["role:nina"] and there["member:nina"]
    about = {"purpose": "tax_audit", "ends_at": f"{in_days(30)}T00:00:00Z", "subject_id": there["member:ben"]}
    return {"auditor_id": auditor_id, **about}


def new_product() -> dict[str, Any]:
    return {"product_id": f"new-{uuid4()}", "name": "New", "self_service": False, "sku_id": str(uuid4())}


def send(api: Api | None, name: str, request: Request, there: Prepared, **headers: str) -> httpx.Response:
    """The answer; None is nobody. Queries are answered as of when everything was prepared."""
    operation = operation_of(name)
    path = operation.path.format_map({"organization": there.handle, **request.path})
    query = dict(request.query)
    if "at_least" in operation.parameters("query"):
        query.setdefault("at_least", there.position)
    more: dict[str, Any] = {"params": query, "headers": headers}
    if request.body is not None:
        more["json"] = request.body
    if api is None or not path.startswith("/v1/"):
        return there.operator.http.request(operation.method, path, **more)
    tag = "*" if operation.method in {"PUT", "PATCH"} else None
    return api.ask(operation.method, path, tag=tag, **more)
