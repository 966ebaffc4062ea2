"""`backup`, `restore` and `gallery` as people use them: from one installation to another, with real faces."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from recognition.models import Job, Person
from recognition.services import archives
from recognition.vision.images import encode_jpeg
from tests import faces, fakes, installations
from tests.other_databases import empty_database
from tests.processes import CommandLine

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Eileen Collins"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.jpg"
    path.write_bytes(encode_jpeg(faces.astronaut()))
    return path


@pytest.fixture
def elsewhere() -> Iterator[CommandLine]:
    """An installation of its own that was never started."""
    with installations.temporary_state_dir() as directory, installations.command_line_in(directory) as running:
        yield running


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    directory = tmp_path / "state"
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(directory))
    monkeypatch.delenv("FACEWEB_SECRET_KEY", raising=False)
    settings.FACEWEB_STATE_DIR = directory
    return directory


def call(*arguments: object, status: int = 0) -> dict[str, Any]:
    """What a command prints that runs in this process."""
    out = StringIO()
    try:
        call_command(*map(str, arguments), "--json", stdout=out)
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def answer(where: CommandLine, *arguments: object) -> dict[str, Any]:
    """What a command prints that runs as a process."""
    status, output = where.run(*map(str, arguments), "--json")
    assert status == 0, output
    values: dict[str, Any] = json.loads(output[output.index("{\n") :])
    return values


class TestBackup:
    def test_is_restored_elsewhere_without_whoever_was_erased_since(
        self, own_state: Path, elsewhere: CommandLine, photo: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "backup.zip"
        call("enrol", NAME, photo)
        call("enrol", "To be erased", photo, status=1)
        out = StringIO()
        call_command("backup", str(file), stdout=out)
        assert "2 people, 2 samples" in out.getvalue()
        fingerprint = out.getvalue().split("apart from the file:\n")[1].split()[0]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        fakes.erase(Person.objects.get(name="To be erased"))
        ledger = own_state / "erasures.jsonl"

        done = answer(elsewhere, "restore", file, "--fingerprint", fingerprint.upper(), "--erasures", ledger)
        assert (done["erased_again"], done["rows"]["recognition_person"]) == (1, 2)
        assert done["secret_key"] == "restored"
        assert elsewhere.state is not None
        assert (elsewhere.state / "secret_key").read_bytes() == (own_state / "secret_key").read_bytes()
        kept = (elsewhere.state / "erasures.jsonl").read_text().splitlines()
        assert set(ledger.read_text().splitlines()) <= set(kept)
        (face,) = answer(elsewhere, "identify", photo)["faces"]
        assert [candidate["person_name"] for candidate in face["candidates"]] == [NAME]
        assert face["decision"] == "accept"

    def test_the_key_of_the_environment_stays_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FACEWEB_SECRET_KEY", "from the environment")
        assert call("backup", tmp_path / "backup.zip")["keys"] == []

    def test_refusals_say_what_to_do(self, tmp_path: Path) -> None:
        file, short, strange = (tmp_path / f"{name}.zip" for name in ("backup", "short", "strange"))
        fingerprint = call("backup", file)["fingerprint"]
        short.write_bytes(file.read_bytes()[:-1000])
        with archives.writing(path=strange, kind="backup", key=Ed25519PrivateKey.generate()) as writer:
            writer.finish({})
        for arguments, reason in (
            (("backup", file), "is there already. Choose another name"),
            (("restore", file), "new state directory"),
            (("restore", short), "is damaged"),
            (("restore", strange), "say so with --fingerprint"),
            (("restore", strange, "--fingerprint", fingerprint), "say so with --fingerprint"),
            (("restore", tmp_path / "missing.zip"), "cannot be read: No such file"),
            (("restore", file, "--erasures", tmp_path / "missing"), "There is no ledger"),
        ):
            with pytest.raises(CommandError, match=reason):
                call(*arguments)


class TestGallery:
    def test_goes_from_one_installation_to_another(
        self, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, back = tmp_path / "gallery.zip", tmp_path / "back.zip"
        call("enrol", NAME, photo)
        exported = call("gallery", "export", file, "--with-images")
        counts = {"people": 1, "samples": 1, "templates": 1, "images": 1}
        assert exported.items() >= counts.items()
        here = call("identify", photo)
        with empty_database():
            monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path / "elsewhere"))
            call_command("migrate", verbosity=0, interactive=False)
            with pytest.raises(CommandError, match=exported["fingerprint"]):
                call("gallery", "import", file)
            trusted = ("--fingerprint", exported["fingerprint"])
            out = StringIO()
            call_command("gallery", "import", str(file), *trusted, "--dry-run", stdout=out)
            assert "Would add 1 people, 1 samples, 1 pictures." in out.getvalue()
            added = call("gallery", "import", file, *trusted)
            assert (added["people"], added["samples"], added["images"]) == (1, 1, 1)
            assert Job.objects.get().kind == Job.Kind.GALLERY_CHECK
            there = call("identify", photo)
            assert [face["decision"] for face in there["faces"]] == ["accept"]
            assert similarities(there) == similarities(here)
            again = call("gallery", "export", back, "--with-images")
            assert again.items() >= counts.items()
        assert contents_of(back) == contents_of(file)
        known = call("gallery", "import", back, "--fingerprint", again["fingerprint"])
        assert (known["people"], known["people_known"]) == (0, 1)

    def test_a_gallery_is_no_backup(self, tmp_path: Path) -> None:
        file = tmp_path / "gallery.zip"
        call("gallery", "export", file)
        with pytest.raises(CommandError, match="is a gallery, and a backup is needed"):
            call("restore", file)


def similarities(answered: dict[str, Any]) -> list[list[float]]:
    return [[each["similarity"] for each in face["candidates"]] for face in answered["faces"]]


def contents_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".jsonl")}
