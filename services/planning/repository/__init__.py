"""Planning's rows: every statement that planning sends to its database."""
