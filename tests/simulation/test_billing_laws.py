"""The laws of money, dates, invoices and payments, over whole random histories. `make soak` runs more of them."""

import pytest
from hypothesis import HealthCheck, settings

from tests.simulation.machine import BillingHistory

TestBillingLaws = pytest.mark.timeout(300)(BillingHistory.TestCase)
TestBillingLaws.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,  # a history is as long as it is
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
