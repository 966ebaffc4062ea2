"""A self-signed certificate: another device's browser gives its camera to a secure page only."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from faceweb import state

LIFETIME = timedelta(days=397)  # Apple's browsers refuse certificates that live longer than 398 days
RENEWED_BEFORE_EXPIRY = timedelta(days=30)
CLOCK_TOLERANCE = timedelta(hours=1)  # a phone's clock may be a little behind


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, as PEM files.

    Args:
        certificate_file: Readable by the owner only, like the key, though it is public.
        key_file: Mode 0600.
        fingerprint: SHA-256 of the certificate, as browsers show it.
    """

    certificate_file: Path
    key_file: Path
    fingerprint: str


def for_names(directory: Path, names: Sequence[str], *, now: datetime | None = None) -> Certificate:
    """Return a certificate for `names`: the kept one while it covers them and is not about to expire, else a new one.

    Args:
        directory: Where it is kept.
        names: Host names and IP addresses.
        now: The time, for tests; timezone-aware.
    """
    now = now or datetime.now(UTC)
    certificate_file, key_file = directory / "certificate.pem", directory / "key.pem"
    kept = _load(certificate_file) if key_file.exists() else None
    if kept is None or not _serves(kept, names, now):
        key = ec.generate_private_key(ec.SECP256R1())
        kept = _self_signed(key, names, now)
        state.write_private(
            key_file,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        state.write_private(certificate_file, kept.public_bytes(serialization.Encoding.PEM))
    return Certificate(certificate_file, key_file, kept.fingerprint(hashes.SHA256()).hex(":").upper())


def _load(path: Path) -> x509.Certificate | None:
    if not path.exists():
        return None
    return x509.load_pem_x509_certificate(path.read_bytes())


def _serves(certificate: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    covered = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    return (
        covered.issuperset(_general_name(name) for name in names)
        and now + RENEWED_BEFORE_EXPIRY < certificate.not_valid_after_utc
    )


def _self_signed(key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "faceweb")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
