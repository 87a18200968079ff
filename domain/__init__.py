"""What is true: aggregates, events, money and price rules. No I/O, no clock, no ids from outside."""
