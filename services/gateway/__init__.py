"""The one door: authenticates clients, limits, forwards to the services, and shows one contract for all of them."""
