"""Readings of history for auditors: replay, explain, verify."""
