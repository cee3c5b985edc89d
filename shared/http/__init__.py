"""How every service answers over HTTP: who may call, strict reading, problems, idempotency."""
