"""Lets a failing scenario show both sides of what it compared."""

import pytest

pytest.register_assert_rewrite("tests.scenario")
