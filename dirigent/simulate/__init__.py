"""A month of made-up county traffic, deterministic by seed, with synthetic persons only."""
