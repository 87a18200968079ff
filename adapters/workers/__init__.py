"""The processes that run beside the commands."""
