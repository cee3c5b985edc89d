"""The events that come in and the facts that travel: where the services meet."""
