"""The OpenID provider of the demo: everybody is made up, nobody has a password, and it answers this very machine only."""

from dirigent.demo_issuer.issuer import NotHere, demo_issuer

__all__ = ["NotHere", "demo_issuer"]
