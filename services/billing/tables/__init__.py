"""Billing's tables. Pseudonymous throughout: a case id, times and codes, never a person."""

from services.billing.tables import closing, money, rules, stays, trials
from services.billing.tables.ground import metadata

__all__ = ["closing", "metadata", "money", "rules", "stays", "trials"]
