"""One signed HTTP call."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import socket
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

SIGNATURE = "Faceweb-Signature"


class Post(Protocol):
    """Calls an address once; see `post`, which does so over the network."""

    def __call__(self, *, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Answers with the HTTP status, or raises `CallFailed`."""


class CallFailed(Exception):
    """No answer came; the text says why."""


def headers(*, body: bytes, secret: str, now: dt.datetime) -> dict[str, str]:
    """The headers of a call, with a signature over its time and body.

    Args:
        body: as it is sent.
        secret: the key that caller and called share.
        now: with a time zone; whoever is called refuses an old one, so that no call can be repeated later.
    """
    timestamp = int(now.timestamp())
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", SIGNATURE: f"t={timestamp},v1={signed}"}


def post(*, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
    """Calls an address once. Redirects are not followed, and no proxy is asked.

    Args:
        url: http or https; doors are in the local network, so private addresses are allowed.
        body: what is sent.
        headers: see `headers`.
        timeout_s: for the connection, and again for the answer.

    Returns:
        The HTTP status, whatever it is.

    Raises:
        CallFailed: when no answer came.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise CallFailed(f"not an address: {error}") from error
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise CallFailed("expected an address that begins with http:// or https://")
    connection = kinds[parts.scheme](parts.hostname, port, timeout=timeout_s)
    path = parts.path or "/"
    try:
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
        answer: http.client.HTTPResponse = connection.getresponse()
    except TimeoutError as error:
        raise CallFailed(f"no answer within {timeout_s:.1f} s") from error
    except (OSError, http.client.HTTPException, socket.gaierror, ValueError) as error:
        raise CallFailed(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    return answer.status
