"""Starts, watches, restarts and stops everything one Dirigent consists of; `running` is the way in."""
