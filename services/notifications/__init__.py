"""Notifications: tells subscribers, by thin signed webhooks, that something stands in their mailbox."""
