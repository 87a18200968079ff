"""Payment providers: a strict sandbox of our own, and Stripe."""
