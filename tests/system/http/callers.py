"""Who asks: every kind of caller, by what it is called in who_may.csv."""

from __future__ import annotations

from collections.abc import Mapping

CALLERS: Mapping[str, str] = {
    "no token": "nobody",
    "owner": "the member who bought the subscription, and owns the card and the billing profile",
    "purchaser": "another member",
    "contributor": "a member with this role on the billing profile",
    "invoice manager": "a member with this role on the billing profile",
    "reader": "a member with this role on the billing profile",
    "guest": "a guest of the organization",
    "admin": "an admin, in this role",
    "billing reader": "a member with this role, in it",
    "auditor": "a member with this role, in it",
    "deactivated": "an admin who was deactivated",
    "removed": "an admin who was removed",
    "elsewhere": "an admin of another organization, on the paths of this one",
    "operator": "an operator of the house",
    "service": "a service of the house",
}
