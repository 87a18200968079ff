"""Services that somebody downstream would write, with the consumer kit alone; not part of the wheel."""
