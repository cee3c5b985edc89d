"""Each speed claim as a program that measures itself; nothing here is a test, and nothing here ships to an operator."""
