"""The HTTP API: it knows who calls, reads wishes, asks the services, and alone knows status codes."""
