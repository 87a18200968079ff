"""The life-cycle run as operators type it: of one organization or of all, in several processes, killed and repeated."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.cli.conftest import Console, can_pay, contoso, one_line_of

pytestmark = pytest.mark.enable_socket

NEXT_MONTH = (datetime.now(UTC) + timedelta(days=32)).date().isoformat()


@pytest.fixture
def simulated(operator: Console) -> Console:
    """Ben of a simulated Contoso, with a card, a profile and 100 licenses."""
    ben = contoso(operator, "--simulation").as_("ben@contoso.com")
    can_pay(ben)
    ben.done("buy", "Power BI Pro", "--licenses", "100")
    return ben


def test_a_simulated_organization_is_renewed_at_its_own_time(simulated: Console) -> None:
    operator = simulated.as_("operator")
    listed = operator.done("advance", "--as-of", NEXT_MONTH, "--dry-run")
    assert [one["organization"] for one in listed["due"]] == [simulated.handle]
    done = operator.done("advance", "--as-of", NEXT_MONTH)
    assert (done["profiles"], done["rounds"], done["payments"]) == (1, 1, 0)
    (row,) = simulated.done("purchases", "list")["purchases"]
    assert row["term_start"] > datetime.now(UTC).date().isoformat()
    again = operator.done("advance", "--as-of", NEXT_MONTH)
    assert again["rounds"] == 0
