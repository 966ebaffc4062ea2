"""Where `up` listens, and what follows from it: the port, the addresses to print, the hosts and origins to accept."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from faceweb import env

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PORTS_TO_TRY = 100
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")  # RFC 1123, without its length limits
HIGHEST_PORT = 65_535

ALL_ADDRESSES = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}  # noqa: S104  (compared with, not bound to)


class CannotListen(RuntimeError):
    """The host or port that `up` was given cannot be listened on."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What `up` was told, made definite.

    Args:
        host: The address to bind; `0.0.0.0` and `::` mean all.
        port: The port to bind, free a moment ago.
        https: Whether it speaks TLS.
        names: The host names and addresses browsers may use, the most useful one first.
    """

    host: str
    port: int
    https: bool
    names: tuple[str, ...]

    @property
    def origins(self) -> tuple[str, ...]:
        """The origin of each name, as a browser writes it."""
        scheme, usual = ("https", 443) if self.https else ("http", 80)
        suffix = "" if self.port == usual else f":{self.port}"
        return tuple(f"{scheme}://{in_url(name)}{suffix}" for name in self.names)

    @property
    def only_this_machine(self) -> bool:
        """Whether nobody else can reach it."""
        return _is_loopback(self.host)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `up`."""
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port to listen on, or the next free one (default: %(default)s)",
    )
    parser.add_argument(
        "--https",
        action="store_true",
        help="speak HTTPS with a self-signed certificate, as other devices' cameras need",
    )
    parser.add_argument(
        "--public-host",
        action="append",
        type=_host_name,
        default=[],
        metavar="NAME",
        help="a further host name that browsers use for this machine; may be repeated",
    )


def tell_settings(arguments: Sequence[str]) -> None:
    """Hand what the arguments of `up` mean to the settings, which are not loaded yet."""
    parser = argparse.ArgumentParser(prog="faceweb up", add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)  # Django's own options are Django's to refuse
    port = free_port(options.host, options.port)
    listening = Listening(options.host, port, options.https, names(options.host, options.public_host))
    env.HOSTS.tell(",".join([*env.HOSTS.read(), *(in_url(name) for name in listening.names)]))
    env.ORIGINS.tell(",".join([*env.ORIGINS.read(), *listening.origins]))
    env.HTTPS.tell("1" if options.https or env.HTTPS.read() else "0")
    env.PORT.tell(str(port))


def from_options(*, host: str, https: bool, public_hosts: Sequence[str]) -> Listening:
    """Return what `tell_settings` settled for the same arguments."""
    if not env.PORT.read():
        raise CannotListen("the settings were not told where: start it as `faceweb up` or `./manage.py up`.")
    return Listening(host, env.PORT.read(), https, names(host, public_hosts))


def names(host: str, public_hosts: Sequence[str]) -> tuple[str, ...]:
    """Return the names under which browsers may reach a server bound to `host`, the most useful one first."""
    found = list(public_hosts)
    loopback = "::1" if ":" in host else "127.0.0.1"
    if host in ALL_ADDRESSES:
        found += [*local_addresses(ALL_ADDRESSES[host]), *_machine_names(), "localhost", loopback]
    elif _is_loopback(host):
        found += [host, loopback, "localhost"]
    else:
        found.append(host)
    return tuple(dict.fromkeys(name.lower() for name in found))


def local_addresses(family: socket.AddressFamily) -> list[str]:
    """Return the machine's own addresses that other machines may know: no loopback, no link-local ones."""
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == family and "%" not in address.address
    ]
    return [text for text in found if not (ip := ipaddress.ip_address(text)).is_loopback and not ip.is_link_local]


def free_port(host: str, wanted: int) -> int:
    """Return the first port from `wanted` on that nobody listens on; 0 lets the system choose.

    Raises:
        CannotListen: The host is not this machine's, the port needs a privilege, or all are taken.
    """
    for port in range(wanted, min(wanted + PORTS_TO_TRY, HIGHEST_PORT + 1)):
        try:
            return _bound_port(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise CannotListen(
                f"cannot listen on {in_url(host)}:{port}: {error.strerror or error}. "
                f"--host takes an address of this machine; ports below 1024 may need root."
            ) from error
    raise CannotListen(
        f"the ports {wanted} to {wanted + PORTS_TO_TRY - 1} of {host} are all taken; choose with --port."
    )


def in_url(name: str) -> str:
    """Return a host name or address as URLs write it: an IPv6 address stands in brackets."""
    return f"[{name}]" if ":" in name else name


def _bound_port(host: str, port: int) -> int:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: a closing one is no obstacle
        probe.bind(address)
        probe.listen()
        bound: int = probe.getsockname()[1]
        return bound


def _machine_names() -> list[str]:
    name = socket.gethostname()
    return [name, f"{name}.local"] if "." not in name else [name]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to {HIGHEST_PORT}, got {text!r}")
    return int(text)


def _host_name(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if not HOST_NAME.fullmatch(text):
            raise argparse.ArgumentTypeError(f"expected a host name such as faces.example.org, got {text!r}") from None
        return text
