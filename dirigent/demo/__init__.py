"""The demo: a month of a whole county from the first event to the last invoice, every sum computed a second time."""
