"""Certificates made for a test: an authority, and what it vouches for."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.dates import now


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its files in a folder."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for this machine under a name, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = _builder(name, self.certificate.subject, key).add_extension(alternatives, critical=False).sign(self.key, hashes.SHA256())
        return _written(self.folder / f"{self.name}-{name}", made, key)

    def client_context(self, name: str | None) -> ssl.SSLContext:
        """What a client connects with that trusts this authority, and shows a certificate of it."""
        context = ssl.create_default_context(cafile=str(self.file))
        if name is not None:
            context.load_cert_chain(*self.issue(name))
        return context


def an_authority(folder: Path, name: str = "ca") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    basic = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _builder(name, subject, key).add_extension(basic, critical=True).sign(key, hashes.SHA256())
    _written(folder / name, certificate, key)
    return Authority(folder, name, key, certificate)


def a_certificate(name: str) -> x509.Certificate:
    """One signed by itself, whose key nobody keeps."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _builder(name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key).sign(key, hashes.SHA256())


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    at = now()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))
        .not_valid_after(at + timedelta(days=1))
    )


def _written(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    plain = serialization.NoEncryption()
    files = path.with_suffix(".pem"), path.with_suffix(".key")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files
