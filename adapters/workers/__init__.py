"""Workers: what runs beside the requests until it is told to stop."""
