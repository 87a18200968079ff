"""How fast the ledger is: every figure a ratio to a ceiling that ran beside it, in the same minutes."""
