"""What is measured: the product's own code, driven as its services and workers drive it."""
