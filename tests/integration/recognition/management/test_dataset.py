"""The gallery as a labelled folder, and back again."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from recognition.management.data_sets import DataSet
from recognition.models import AuditAction, AuditEntry, FaceSample, Person, PersonGroup, SampleImage
from recognition.vision import images
from tests import data_sets, faces

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("needs_no_compiling")]

HOSTILE = '../=cmd|"Zo\u00eb"\u202e'
"""Leads out of its folder, is a formula for a spreadsheet, and turns the text after it round."""


def answer(*arguments: object, status: int = 0) -> dict[str, Any]:
    out, ended = io.StringIO(), 0
    try:
        call_command(*map(str, arguments), "--json", stdout=out)
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """Three people, two of one name. Gives a folder for what is made of them."""
    photos = tmp_path / "photos"
    photos.mkdir()
    data_sets.write(photos, data_sets.of_group({"a": (2.0, 2.4), "b": (2.0, 2.4), "c": (2.0,)}))
    for folder, name, external_id in (("a", HOSTILE, None), ("b", "Bo", "B-1"), ("c", "Bo", None)):
        answer("enrol", folder, photos / folder)
        Person.objects.filter(name=folder).update(name=name, external_id=external_id)
    # Two cuts of one picture are doubted.
    FaceSample.objects.update(status=FaceSample.Status.ACTIVE, doubts=[])
    return tmp_path


def test_is_written_with_originals_and_aligned_crops_and_read_back_as_it_was(gallery: Path) -> None:
    before = list(Person.objects.values_list("name", "external_id"))
    target = gallery / "people"
    done = answer("dataset", "export", target)
    assert (done["people"], done["pictures"], done["not_kept"], done["not_aligned"]) == (3, 5, [], [])
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    folders = ("=cmd Zo\u00eb", "Bo", "Bo (2)")
    assert files == sorted(
        [
            "people.csv",
            *(f"{folder}/{kind}/0001.jpg" for folder in folders for kind in ("originals", "aligned")),
            *(f"{folder}/{kind}/0002.jpg" for folder in folders[:2] for kind in ("originals", "aligned")),
        ]
    )
    for kind, side_px in (("originals", 400), ("aligned", 112)):
        assert images.decode((target / "Bo" / kind / "0001.jpg").read_bytes()).shape == (side_px, side_px, 3)
    assert "'../=cmd" not in (target / "people.csv").read_text()
    entry = AuditEntry.objects.get(action=AuditAction.GALLERY_EXPORTED)
    assert entry.details == {"dataset": True, "people": 3, "pictures": 5}
    assert [name.path for name in DataSet(target).found()][:2] == [
        f"{folders[0]}/originals/0001.jpg",
        f"{folders[0]}/originals/0002.jpg",
    ]

    Person.objects.all().delete()
    values = answer("import_people", target)
    assert (values["enrolled"] + values["set_aside"], values["refused"]) == (5, 0)
    # The one without an id of two people of a name is called as their folder is.
    assert set(Person.objects.values_list("name", "external_id")) == {
        ("Bo (2)" if name == "Bo" and external_id is None else name, external_id) for name, external_id in before
    }


def test_of_some_people_is_an_archive_that_is_imported_too(gallery: Path) -> None:
    staff = PersonGroup.objects.create(name="staff")
    Person.objects.get(external_id="B-1").groups.add(staff)
    hostile = Person.objects.get(name=HOSTILE)
    hostile.external_id = "Z"
    hostile.save()
    done = answer("dataset", "export", gallery / "people.zip", "--group", staff.name, "--person", "Z")
    assert (done["people"], done["pictures"]) == (2, 4)
    with zipfile.ZipFile(gallery / "people.zip") as archive:
        assert archive.testzip() is None
        assert {path.split("/")[0] for path in archive.namelist()} == {"Bo", "=cmd Zo\u00eb", "people.csv"}
    assert answer("import_people", gallery / "people.zip")["people"] == 2


def test_what_has_no_picture_or_no_face_is_told_and_the_rest_is_written(gallery: Path) -> None:
    first, second = FaceSample.objects.filter(person__external_id="B-1").order_by("pk")
    SampleImage.objects.get(sample=first).delete()
    SampleImage.objects.filter(sample=second).update(jpeg=faces.jpeg(faces.textures()["grass"]))
    done = answer("dataset", "export", gallery / "people", status=1)
    assert (done["people"], done["pictures"]) == (3, 4)
    assert (done["not_kept"], done["not_aligned"]) == ([first.pk], [second.pk])
    assert (gallery / "people" / "Bo" / "originals" / "0001.jpg").is_file()
    assert not (gallery / "people" / "Bo" / "aligned").exists()
    SampleImage.objects.filter(sample=second).delete()
    with pytest.raises(CommandError, match="No picture is kept of the 1 people chosen"):
        call_command("dataset", "export", str(gallery / "other"), "--person", "B-1")


def test_nothing_is_overwritten_and_nothing_half_written_stays(gallery: Path) -> None:
    with pytest.raises(CommandError, match="is there already"):
        call_command("dataset", "export", str(gallery / "photos"))
    with pytest.raises(CommandError, match="There is no group 'nobody'"):
        call_command("dataset", "export", str(gallery / "new"), "--group", "nobody")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("dataset", "export", str(gallery / "absent" / "new"))
    assert sorted(path.name for path in gallery.iterdir()) == ["photos"]
