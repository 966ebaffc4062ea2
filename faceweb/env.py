"""The environment, typed. The only module that reads or writes `os.environ`.

Every variable the product understands is one `Variable` below: its name, how its text is parsed, its default and
one sentence for the operator. `docs/settings.md` and `.env.example` list the same names; a test compares the three.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InvalidVariable(ValueError):
    """An environment variable holds a value that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Variable(Generic[T]):
    """One environment variable.

    Args:
        name: As written in the environment.
        parse: From text to value; raises `ValueError` with what was expected.
        default: What an unset or empty variable means.
        meaning: One sentence for the operator.
    """

    name: str
    parse: Callable[[str], T]
    default: T
    meaning: str

    def read(self) -> T:
        """Return the value now.

        Raises:
            InvalidVariable: The text cannot be parsed; the message names variable, value and expectation.
        """
        text = os.environ.get(self.name, "").strip()
        if not text:
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            # The value itself stays out of the message: the variable may hold a secret.
            raise InvalidVariable(f"{self.name}: {error}") from error

    def is_set(self) -> bool:
        """Return whether the environment says anything."""
        return bool(os.environ.get(self.name, "").strip())

    def tell(self, text: str) -> None:
        """Set the variable for this process, before settings load; `up` hands its arguments on this way."""
        os.environ[self.name] = text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}")
        return text.lower()

    return parse


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("expected 1 or 0")


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("expected a whole number, zero or more")
    return int(text)


def _names(text: str) -> Sequence[str]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _path(text: str) -> Path:
    return Path(text).expanduser()


DATABASE_URL = Variable(
    "DATABASE_URL",
    str,
    "",
    "A PostgreSQL server with pgvector, `postgresql://user:password@host/name`; unset: the embedded server.",
)
REDIS_URL = Variable(
    "REDIS_URL",
    str,
    "",
    "The Redis through which web processes and workers on several machines meet; unset: one process, in memory.",
)
ADMIN_PASSWORD = Variable(
    "FACEWEB_ADMIN_PASSWORD",
    str,
    "",
    "The password of the first user, `admin`; unset: one is generated and printed once.",
)
SECRET_KEY = Variable(
    "FACEWEB_SECRET_KEY",
    str,
    "",
    "Signs sessions; the same on every web process. Unset: a generated one, kept in the state directory.",
)
STATE_DIR: Variable[Path | None] = Variable(
    "FACEWEB_STATE_DIR",
    _path,
    None,
    "Where the embedded database, the keys, the certificate and the ledger of erasures are kept; unset: `var/` in the"
    " checkout, as root a directory below `/var/lib/faceweb`.",
)
CACHE_DIR: Variable[Path | None] = Variable(
    "FACEWEB_CACHE_DIR",
    _path,
    None,
    "Where prepared models are kept; unset: `cache/` in the state directory.",
)
MODEL_DIR = Variable(
    "FACEWEB_MODEL_DIR",
    _path,
    Path("~/.insightface/models").expanduser(),
    "Where model packs are looked for: InsightFace's, and embedders of your own; unset: `~/.insightface/models`.",
)
SHARED_DATA: Variable[Path | None] = Variable(
    "FACEWEB_SHARED_DATA",
    _path,
    None,
    "The folder with face images for the accuracy and browser tests and `faceweb bench live`; unset: `../shared/data` "
    "beside the checkout.",
)
HOSTS: Variable[Sequence[str]] = Variable(
    "FACEWEB_HOSTS",
    _names,
    (),
    "The host names the site answers to, comma-separated; `faceweb up` derives them from its arguments.",
)
ORIGINS: Variable[Sequence[str]] = Variable(
    "FACEWEB_ORIGINS",
    _names,
    (),
    "The origins forms may come from, such as `https://faces.example.org`, comma-separated; derived as above.",
)
HTTPS = Variable(
    "FACEWEB_HTTPS",
    _flag,
    False,
    "Whether browsers reach the site over HTTPS: cookies are then sent over HTTPS only; `faceweb up --https` sets it.",
)
PORT = Variable(
    "FACEWEB_PORT",
    _whole_number,
    0,
    "The port that `faceweb up` found free; it sets this itself, choose with `--port`.",
)
TRUST_PROXY = Variable(
    "FACEWEB_TRUST_PROXY",
    _flag,
    False,
    "Whether a reverse proxy in front overwrites `X-Forwarded-Proto` and adds the client's address to"
    " `X-Forwarded-For`.",
)
RUNTIME = Variable(
    "FACEWEB_RUNTIME",
    _one_of("auto", "openvino", "onnxruntime", "cuda", "tensorrt", "coreml"),
    "auto",
    "What runs the networks: `auto` (the faster of the next two), `openvino`, `onnxruntime`, or an accelerator: "
    "`cuda`, `tensorrt`, `coreml` ([accelerators](howto/accelerators.md)). One that is named and missing stops "
    "the start.",
)
WORKER_THREADS = Variable(
    "FACEWEB_WORKER_THREADS",
    _whole_number,
    0,
    "Recognition threads, one a core; under `faceweb up` each in a process of its own; 0: as many as were measured"
    " fastest at the first start, at most one a core.",
)
TILTED_FRAMES = Variable(
    "FACEWEB_TILTED_FRAMES",
    _flag,
    False,
    "Whether a camera frame that shows no face is searched turned, too, for cameras that are mounted aslant; photos"
    " always are ([tilted faces](howto/detectors.md#tilted-faces)).",
)
POLICY_APPROVAL = Variable(
    "FACEWEB_POLICY_APPROVAL",
    _one_of("another_person", "same_person"),
    "another_person",
    "Who approves a threshold policy: `another_person` than its proposer, or also the `same_person` on a site that"
    " one person runs.",
)
LEGAL_BASIS = Variable(
    "FACEWEB_LEGAL_BASIS",
    _one_of("optional", "required"),
    "optional",
    "Whether recognition knows only people with a valid legal basis: `optional`, or `required`.",
)
ANCHOR_FILE: Variable[Path | None] = Variable(
    "FACEWEB_ANCHOR_FILE",
    _path,
    None,
    "Where a head of the sealed log is added every hour, best on another machine's disk; unset: `anchors.jsonl` in the"
    " state directory.",
)
ANCHOR_URL = Variable(
    "FACEWEB_ANCHOR_URL",
    str,
    "",
    "An http or https address to which each of these heads is sent too; unset: nowhere.",
)
EXACT_SEARCH_MAX_ROWS = Variable(
    "FACEWEB_EXACT_SEARCH_MAX_ROWS",
    _whole_number,
    1_000,
    "Templates up to which all of the gallery is compared with a probe; above, those of a shortlist are.",
)
IMPORT_MAX_MB = Variable(
    "FACEWEB_IMPORT_MAX_MB",
    _whole_number,
    8192,
    "Megabytes that the files of one bulk import may have together, unpacked: 100,000 photos of 80 KB, or 2,000 of"
    " 4 MB.",
)
VIDEO_MAX_MB = Variable(
    "FACEWEB_VIDEO_MAX_MB",
    _whole_number,
    2048,
    "Megabytes that one uploaded video may have: an hour and more of a phone's.",
)
VIDEO_MAX_MINUTES = Variable(
    "FACEWEB_VIDEO_MAX_MINUTES",
    _whole_number,
    120,
    "Minutes that one uploaded video may last.",
)
VIDEO_DAYS = Variable(
    "FACEWEB_VIDEO_DAYS",
    _whole_number,
    30,
    "Days that an uploaded video and what was found in it are kept at most; fewer where a retention rule says so.",
)
DATABASE_CONNECTIONS = Variable(
    "FACEWEB_DATABASE_CONNECTIONS",
    _whole_number,
    20,
    "The most database connections one process keeps open; 0: each thread has its own, as in recognition processes.",
)
METRICS_TOKEN = Variable(
    "FACEWEB_METRICS_TOKEN",
    str,
    "",
    "The token with which Prometheus reads `/metrics` ([operations](howto/operations.md#metrics)); unset: nobody may.",
)
LOG_LEVEL = Variable(
    "FACEWEB_LOG_LEVEL",
    _one_of("debug", "info", "warning", "error"),
    "info",
    "How much is logged to standard error: `debug`, `info`, `warning` or `error`.",
)
LOG_FORMAT = Variable(
    "FACEWEB_LOG_FORMAT",
    _one_of("text", "json"),
    "text",
    "How it is written: `text`, or `json`, one object a line ([operations](howto/operations.md#log)).",
)
SETTINGS_MODULE = Variable(
    "DJANGO_SETTINGS_MODULE",
    str,
    "faceweb.settings.dev",
    "The Django settings: `faceweb.settings.dev` (one machine) or `faceweb.settings.production`.",
)

ALL: tuple[Variable[Any], ...] = tuple(value for value in list(globals().values()) if isinstance(value, Variable))

# onnxruntime's wheel reports to its maker unless one of these is set before it loads; which one depends on its version.
TELEMETRY_SWITCHES = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")


def of_child(changes: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `changes`, for a program that it starts."""
    return {**os.environ, **changes}


def forbid_telemetry() -> None:
    """Keep libraries from reporting to their makers; settings call it before anything else is imported."""
    for name in TELEMETRY_SWITCHES:
        os.environ[name] = "1"
