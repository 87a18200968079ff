"""Proof that history was not changed: signed checkpoints of its tree, and what auditors check them with."""
