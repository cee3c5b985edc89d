"""The operator's command line, and the one place that composes the services."""
