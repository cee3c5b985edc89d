"""Signing keys made for one test."""

from typing import Any

from joserfc.jwk import ECKey, KeySet


def a_key_set() -> dict[str, Any]:
    """One fresh private ES256 key as a JWK set, as `dirigent.signing_keys` makes it."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    key.ensure_kid()
    return dict(KeySet([key]).as_dict(private=True))


def public_half(private: dict[str, Any]) -> dict[str, Any]:
    """The same keys without what only the signer may have."""
    return dict(KeySet([ECKey.import_key(key) for key in private["keys"]]).as_dict(private=False))
