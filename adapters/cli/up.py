"""up, status."""
