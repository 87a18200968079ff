"""audit: history, show, verify."""
