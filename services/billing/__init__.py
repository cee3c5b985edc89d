"""Billing owns money: the stay ledger, agreements, calculations, months and invoices."""
