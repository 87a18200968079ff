"""The table of tax rates."""
