import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.proxies import TrustedProxies, thumbprint_of
from tests.certificates import a_certificate

DER = a_certificate("ward").public_bytes(Encoding.DER)
STATED = b":" + base64.b64encode(DER) + b":"
PROXIES = TrustedProxies(["10.0.0.0/8", "::1"])


def a_request(peer: str | None, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "headers": list(headers), "client": (peer, 5000) if peer else None}


def test_the_certificate_that_a_trusted_proxy_tells_of_is_known_by_its_thumbprint() -> None:
    expected = x509.load_der_x509_certificate(DER).fingerprint(hashes.SHA256())
    found = PROXIES.thumbprint(a_request("10.1.2.3", (b"client-cert", STATED)))
    assert found == thumbprint_of(DER) == base64.urlsafe_b64encode(expected).rstrip(b"=").decode()


@pytest.mark.parametrize("peer", ["192.0.2.1", "11.0.0.1", "::2", None, "unix"])
def test_nobody_else_is_believed_about_a_certificate(peer: str | None) -> None:
    assert PROXIES.thumbprint(a_request(peer, (b"client-cert", STATED))) is None
    assert TrustedProxies().thumbprint(a_request("10.1.2.3", (b"client-cert", STATED))) is None


@pytest.mark.parametrize(
    "stated",
    [b"", b"::", STATED[1:], STATED[:-1], b":!!:", b":" + base64.b64encode(b"no certificate") + b":", b":" + b"A" * 40_000 + b":"],
    ids=["empty", "no bytes", "not begun", "not ended", "no base64", "no certificate", "too long"],
)
def test_what_is_no_certificate_is_none(stated: bytes) -> None:
    assert PROXIES.thumbprint(a_request("10.1.2.3", (b"client-cert", stated))) is None


def test_two_certificates_are_none() -> None:
    assert PROXIES.thumbprint(a_request("10.1.2.3", (b"client-cert", STATED), (b"client-cert", STATED))) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.4.4.4", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_where_a_request_comes_from_is_what_our_own_proxies_say(peer: str, forwarded: str, address: str) -> None:
    assert PROXIES.address(a_request(peer, (b"x-forwarded-for", forwarded.encode()))) == address


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        TrustedProxies(["proxy.vgregion.se"])
