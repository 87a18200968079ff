"""Monthly recurring revenue by product, day and currency and how it moved, counted from events alone."""
