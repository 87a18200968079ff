"""What one can do: one file per operation, each asks may I, loads, decides and saves."""
