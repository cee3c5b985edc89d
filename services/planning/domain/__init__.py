"""The rules of planning: pure functions over frozen values; no database, no clock, no network."""
