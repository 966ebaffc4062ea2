from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from faceweb import certificates

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = ("faces.example", "198.51.100.7", "::1")


def test_it_names_every_host_and_address(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    certificate = x509.load_pem_x509_certificate(made.certificate_file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["faces.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["198.51.100.7", "::1"]
    assert certificate.not_valid_after_utc - NOW < timedelta(days=398)


def test_key_and_certificate_are_private(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    assert stat.S_IMODE(made.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.certificate_file.stat().st_mode) == 0o600


def test_it_is_kept_for_the_same_or_fewer_names(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    assert certificates.for_names(tmp_path, NAMES[:1], now=NOW + timedelta(days=300)) == made


def test_it_is_replaced_for_another_name(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    again = certificates.for_names(tmp_path, [*NAMES, "new.example"], now=NOW)
    assert again.fingerprint != made.fingerprint


def test_it_is_replaced_before_it_expires(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    again = certificates.for_names(tmp_path, NAMES, now=NOW + certificates.LIFETIME - timedelta(days=29))
    assert again.fingerprint != made.fingerprint


def test_it_is_replaced_when_its_key_is_lost(tmp_path: Path) -> None:
    made = certificates.for_names(tmp_path, NAMES, now=NOW)
    made.key_file.unlink()
    assert certificates.for_names(tmp_path, NAMES, now=NOW).fingerprint != made.fingerprint
