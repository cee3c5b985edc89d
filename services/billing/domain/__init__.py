"""The law of payment liability as pure functions: frozen values in, frozen values out, every answer with its reason."""
