"""How the world meets seatledger, and how seatledger meets the world."""
