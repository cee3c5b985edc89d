"""Every statement that billing sends to its database, by what it is about."""
