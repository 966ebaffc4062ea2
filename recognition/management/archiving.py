"""What the commands that write and read archives share: whom to trust, progress, sizes in words."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
from collections.abc import Iterator

from tqdm import tqdm

from faceweb import signing
from recognition.services import archives


def program() -> str:
    """The version of this program."""
    return importlib.metadata.version("faceweb")


def add_fingerprint(parser: argparse.ArgumentParser) -> None:
    """Adds --fingerprint to a command that reads an archive."""
    parser.add_argument(
        "--fingerprint",
        default="",
        help="of the key that signed the file, as it was printed when the file was made; needed where another "
        "installation made it",
    )


def trusted(given: str) -> tuple[str, ...]:
    """The fingerprints of the keys that may have signed an archive: this installation's own, and the given one."""
    own = signing.kept()
    mine = [archives.fingerprint(own.public_key())] if own is not None else []
    return tuple(filter(None, [*mine, given.strip().lower()]))


@contextlib.contextmanager
def progress(what: str, *, total: int | None, is_shown: bool) -> Iterator[archives.Report]:
    """Shows on standard error how many bytes are done."""
    with tqdm(desc=what, total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=not is_shown) as bar:

        def report(size: int) -> None:
            bar.update(size)

        yield report


def total_of(archive: archives.Archive) -> int:
    """How many bytes an archive holds, unpacked."""
    return sum(member.size for member in archive.members.values())


def megabytes(size: int) -> str:
    """A size in words."""
    return f"{size / 1e6:.1f} MB"
