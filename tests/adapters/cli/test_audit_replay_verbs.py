"""Replay as it is typed: moments, differences, timelines, holders, totals, derived and re-rated invoices."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.cli.conftest import Console

pytestmark = pytest.mark.enable_socket

TODAY = datetime.now(UTC).date()


@pytest.fixture
def auditor(admin: Console, ben: Console, bought: str) -> Console:
    """Cynthia; David has a license, and the subscription grew by five."""
    ben.done("assign", bought, "david@contoso.com")
    ben.done("resize", bought, "105")
    admin.done("role", "grant", "cynthia@contoso.com", "auditor")
    return admin.as_("cynthia@contoso.com")


def test_a_timeline_is_read_page_by_page(auditor: Console, bought: str) -> None:
    first = auditor.done("audit", "timeline", "--limit", "5")
    rest = auditor.done("audit", "timeline", "--after", str(first["next"]), "--limit", "200")
    numbers = [one["organization_seq"] for one in (*first["timeline"], *rest["timeline"])]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rest["next"] is None
    of_one = auditor.done("audit", "timeline", bought)["timeline"]
    assert next(one["event"] for one in of_one) == "Subscription.SubscriptionPurchased"
    assert "there is more: --after 5" in auditor.said("audit", "timeline", "--limit", "5").out


def test_everything_as_of_a_moment(auditor: Console, bought: str) -> None:
    entries = auditor.done("audit", "timeline", "--limit", "200")["timeline"]
    resized = next(one for one in entries if one["event"] == "LicensePool.LicensesResized")
    before = str(resized["position"] - 1)
    states = {one["aggregate_id"]: one for one in auditor.done("audit", "states", "--at", before)["states"]}
    assert states[resized["aggregate_id"]]["state"]["total"] == 100
    lines = auditor.said("audit", "states", "--at", before, "--lines").out.splitlines()
    assert [json.loads(line)["aggregate_id"] for line in lines] == list(states)
    assert "LicensePool" in auditor.said("audit", "states", "--at", before).out
    rows = auditor.done("audit", "read-model", "purchases", "--at", before, "--table", "purchases")["purchases"]
    assert [(row["subscription_id"], row["licenses_total"]) for row in rows] == [(bought, 100)]
    assert "licenses_total" in auditor.said("audit", "read-model", "purchases", "--at", before).out
    assert auditor("audit", "read-model", "everything", "--at", before).code == 2
    assert auditor("audit", "states").code == 2
    assert auditor.done("audit", "show", bought, "--effective", TODAY.isoformat())["state"]["life"] == "active"


def test_what_differs_between_two_moments(auditor: Console) -> None:
    entries = auditor.done("audit", "timeline", "--limit", "200")["timeline"]
    resized = next(one for one in entries if one["event"] == "LicensePool.LicensesResized")
    moments = ("--from", str(resized["position"] - 1), "--to", str(resized["position"]))
    [pool] = auditor.done("audit", "diff", resized["aggregate_id"], *moments)["differences"]
    total = next(one for one in pool["fields"] if one["field"] == "total")
    assert (total["before"], total["after"], total["made_by"]) == (100, 105, [resized["position"]])
    everything = auditor.done("audit", "diff", *moments)["differences"]
    assert pool in everything
    assert "LicensesResized" in auditor.said("audit", "diff", *moments).out
    since = ("--from", str(resized["position"]), "--to", str(resized["position"]))
    assert auditor.said("audit", "diff", *since).out.strip() == "nothing differs"


def test_who_held_and_who_paid(auditor: Console, bought: str) -> None:
    [held] = auditor.done("audit", "held", "--on", TODAY.isoformat())["held"]
    assert (held["subscription_id"], held["licenses"], len(held["holders"])) == (bought, 105, 1)
    assert [line["licenses"] for line in held["lines"]] == [100, 5]
    said = auditor.said("audit", "held", bought, "--on", TODAY.isoformat()).out
    assert "payment" in said
    assert "contoso.com" not in said
    before = (TODAY - timedelta(days=1)).isoformat()
    assert auditor("audit", "held", bought, "--on", before).refused == "not_found"


def test_totals_derived_and_rerated_invoices(auditor: Console) -> None:
    [day] = auditor.done("audit", "totals")["days"]
    [row] = csv.DictReader(io.StringIO(auditor.said("audit", "totals", "--csv").out))
    assert row["received"] == f"{day['received_minor'] / 100:.2f}"
    assert "closing" in auditor.said("audit", "totals").out
    derived = auditor.done("audit", "derive")
    assert (derived["as_recorded"], len(derived["invoices"])) == (True, 2)
    assert "2 invoices compared" in auditor.said("audit", "derive").out
    rerated = auditor.done("audit", "rerate", "--rule", "daily-half-up.v1", "--lines")
    assert rerated["totals"][0]["differing"] == 0
    product = rerated["documents"][0]["lines"][0]["product_id"]
    said = auditor.said("audit", "rerate", "--price", f"{product}=1", "--price", "nothing=5", "--lines").out
    assert "no line charges for nothing" in said
    assert "2 of 2 documents differ" in said
    assert auditor("audit", "rerate").code == 2
    assert auditor("audit", "rerate", "--price", "free").code == 2
    assert auditor("audit", "rerate", "--rule", "sideways").code == 2


def test_it_takes_a_role_that_audits(admin: Console, ben: Console, bought: str) -> None:
    for verb in (
        ("timeline",),
        ("states", "--at", "1"),
        ("diff", "--from", "1"),
        ("held", bought, "--on", TODAY.isoformat()),
        ("totals",),
        ("derive",),
        ("rerate", "--price", "x=1"),
    ):
        for who in (admin, ben):
            assert who("audit", *verb).refused == "not_allowed"
