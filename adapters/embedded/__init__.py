"""The servers seatledger brings along: a real PostgreSQL and a broker, for when no address of another is set."""
