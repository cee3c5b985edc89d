"""Stays of an older service, one on each line of a CSV file, told again as the events and commands they were."""
