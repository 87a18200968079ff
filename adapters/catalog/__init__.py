"""Real products, what of them is sold by self-service, and list prices: published facts, as files."""
