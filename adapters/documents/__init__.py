"""Invoices as pages and as JSON."""
