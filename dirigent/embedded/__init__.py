"""PostgreSQL and Redis as our own child processes: which programs, as which user, prepared and started how."""
