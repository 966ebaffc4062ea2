"""Failed log-ins: by which address django-axes counts them, and the page that says that it is enough."""

from __future__ import annotations

import datetime as dt
import ipaddress
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

IPV6_PREFIX_BITS = 64
"""What a provider gives a household: whoever has one address there has all of them (RFC 6177, RFC 7934)."""


def client_address(request: HttpRequest) -> str | None:
    """Returns the address that log-ins are counted by; None where the connection has none.

    Behind a trusted proxy it is the last address of `X-Forwarded-For`, which the proxy itself put there; what
    stands before it was sent by the client and may be invented. IPv6 addresses count by their network.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
    candidates = [forwarded] if settings.FACEWEB_TRUST_PROXY else []
    for text in (*candidates, request.META.get("REMOTE_ADDR", "")):
        try:
            address = ipaddress.ip_address(text.strip())
        except ValueError:
            continue
        return str(_counted(address))
    return None


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Answers a log-in that was refused for the wrong passwords before it; also where no account has the name."""
    minutes = settings.AXES_COOLOFF_TIME // dt.timedelta(minutes=1)
    return render(request, "registration/locked_out.html", {"minutes": minutes}, status=HTTPStatus.FORBIDDEN)


def _counted(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address) >> (128 - IPV6_PREFIX_BITS) << (128 - IPV6_PREFIX_BITS)
    return ipaddress.IPv6Address(number)  # without the scope of a link-local address, which is the host's own affair
