"""Exports of the gallery, imported again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recognition.decision.doubts import Doubt, DoubtReason
from recognition.models import (
    AuditAction,
    AuditEntry,
    DenyListEntry,
    FaceSample,
    FaceTemplate,
    LegalBasis,
    Person,
    PersonGroup,
)
from recognition.selectors import gallery, packs
from recognition.services import archives, gallery_export, gallery_import, merging, sealed_log
from recognition.services import packs as packs_write
from recognition.services.gallery_export import Exported
from recognition.services.gallery_import import GalleryRefused, Imported
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = (archives.fingerprint(KEY.public_key()),)
NOTHING_NEW = Imported(people=0, people_known=3, samples=0, samples_known=4, images=0)


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gallery.zip"


def export(path: Path, *, with_images: bool = True) -> Exported:
    return gallery_export.write(path=path, key=KEY, program="1.0", with_images=with_images)


def bring_in(path: Path, *, is_dry_run: bool = False) -> Imported:
    with archives.opened(path=path, kind=gallery_export.KIND, trusted=TRUSTED) as archive:
        archive.verify()
        return gallery_import.read(archive=archive, actor=None, is_dry_run=is_dry_run)


def members(path: Path) -> dict[str, archives.Member]:
    with archives.opened(path=path, kind=gallery_export.KIND, trusted=TRUSTED) as archive:
        return dict(archive.members)


def fill() -> Person:
    """Three people: one with everything that can be said of somebody, one denied, one without photos."""
    ada = fakes.person("Ada Lovelace", fakes.probe(), fakes.like_probe(0.7))
    ada.external_id, ada.notes, ada.is_suspended = "7", "“é”\n", True
    ada.valid_from, ada.valid_until = fakes.NOW, fakes.NOW + dt.timedelta(days=1)
    ada.save()
    ada.groups.set([PersonGroup.objects.create(name=name) for name in ("staff", "guests")])
    LegalBasis.objects.create(person=ada, kind="contract", given_at=fakes.NOW, withdrawn_at=fakes.NOW)
    LegalBasis.objects.create(person=ada, kind="consent", text_version="2", how="online", given_at=fakes.NOW)
    first, second = ada.samples.order_by("pk")
    FaceSample.objects.filter(pk=first.pk).update(source="guided", pose="front")
    bob = fakes.person("Bob", fakes.like_probe(0.1, axis=2), is_active=False)
    DenyListEntry.objects.create(person=bob, reason="a test")
    doubt = Doubt(DoubtReason.IDENTITY_CONFLICT, 0.7, 0.5, bob.samples.get().pk, bob.pk)
    FaceSample.objects.filter(pk=second.pk).update(status="set_aside", doubts=[doubt.as_json()])
    assert first.pk < second.pk
    eve = fakes.person("Eve", fakes.like_probe(0.3, axis=3))
    Person.objects.filter(pk=eve.pk).update(keeps_photos=False)
    eve.samples.get().image.delete()
    return ada


def forget_everybody() -> None:
    Person.objects.all().delete()
    PersonGroup.objects.all().delete()


def found() -> list[tuple[str, float, object]]:
    return [
        (each.person_name, each.similarity, each.barred)
        for each in gallery.search(fakes.probe(), packs.active()).people
    ]


class TestRoundTrip:
    def test_gives_the_same_gallery_and_the_same_answers(self, file: Path) -> None:
        fill()
        done = export(file)
        assert (done.people, done.samples, done.templates, done.images) == (3, 4, 4, 3)
        results, exported = found(), members(file)
        forget_everybody()
        assert found() == []
        assert bring_in(file) == Imported(people=3, people_known=0, samples=4, samples_known=0, images=3)
        assert found() == results
        assert len(results) == 3
        again = file.with_name("again.zip")
        export(again)
        assert members(again) == exported
        doubt = FaceSample.objects.get(status="set_aside").doubts[0]
        bob = Person.objects.get(name="Bob")
        assert (doubt["person"], doubt["sample"]) == (bob.pk, bob.samples.get().pk)
        assert sealed_log.verify().is_whole

    def test_of_an_empty_gallery_is_empty(self, file: Path) -> None:
        assert export(file).people == 0
        assert bring_in(file) == Imported(people=0, people_known=0, samples=0, samples_known=0, images=0)

    def test_without_images_brings_templates_alone(self, file: Path) -> None:
        fill()
        assert export(file, with_images=False).images == 0
        results = found()
        forget_everybody()
        assert bring_in(file).images == 0
        assert found() == results

    def test_the_second_time_changes_nothing(self, file: Path) -> None:
        fill()
        export(file)
        before = [list(model.objects.order_by("pk").values()) for model in (Person, FaceSample, PersonGroup)]
        templates = FaceTemplate.objects.count()
        assert bring_in(file) == NOTHING_NEW
        forget_everybody()
        bring_in(file)
        assert bring_in(file) == NOTHING_NEW
        assert len(before[0]) == Person.objects.count()
        assert FaceTemplate.objects.count() == templates

    def test_what_is_here_stays_as_it_is(self, file: Path) -> None:
        ada = fill()
        export(file)
        Person.objects.filter(pk=ada.pk).update(name="Countess", notes="")
        ada.samples.order_by("pk").first().delete()  # type: ignore[union-attr]
        assert bring_in(file) == Imported(people=0, people_known=3, samples=1, samples_known=3, images=1)
        assert Person.objects.get(pk=ada.pk).name == "Countess"

    def test_whoever_has_the_external_id_is_the_person(self, file: Path) -> None:
        fill()
        export(file)
        forget_everybody()
        here = Person.objects.create(name="Somebody", external_id="7")
        assert bring_in(file).people == 2
        assert here.samples.count() == 2

    def test_leaves_out_rows_that_were_merged_and_follows_them(self, file: Path) -> None:
        ada = fill()
        export(file)
        twin = Person.objects.create(name="Twin")
        merging.merge(keep=twin, gone=ada, actor=None)
        assert bring_in(file) == NOTHING_NEW
        assert export(file.with_name("merged.zip")).people == 3

    def test_is_recorded_without_names(self, file: Path) -> None:
        fill()
        export(file)
        forget_everybody()
        bring_in(file)
        rows = AuditEntry.objects.filter(action__startswith="gallery").order_by("pk")
        assert [(row.action, row.subject) for row in rows] == [
            (AuditAction.GALLERY_EXPORTED, "installation"),
            (AuditAction.GALLERY_IMPORTED, "installation"),
        ]
        assert rows[1].details == {"people": 3, "people_known": 0, "samples": 4, "samples_known": 0, "images": 3}
        assert AuditEntry.objects.filter(action=AuditAction.PERSON_ENROLLED).count() == 3
        assert "Ada" not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))


def test_a_dry_run_says_the_same_and_keeps_nothing(file: Path) -> None:
    fill()
    export(file)
    forget_everybody()
    entries = AuditEntry.objects.count()
    said = bring_in(file, is_dry_run=True)
    assert not Person.objects.exists()
    assert not PersonGroup.objects.exists()
    assert AuditEntry.objects.count() == entries
    assert said == bring_in(file)


class TestRefused:
    """Nobody is imported."""

    def changed(self, file: Path, name: str, change: Callable[[dict[str, Any]], object]) -> Path:
        """The export with every line of one member changed."""
        path = file.with_name("changed.zip")
        with (
            archives.opened(path=file, kind=gallery_export.KIND, trusted=TRUSTED) as archive,
            archives.writing(path=path, kind=gallery_export.KIND, key=KEY) as writer,
        ):
            for each in archive.members:
                lines = list(archive.lines(each))
                if each == name:
                    for line in lines:
                        change(line)
                writer.add(each, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            writer.finish({"pack": archive.contents["pack"]})
        return path

    @pytest.fixture
    def made(self, file: Path) -> Path:
        fill()
        export(file)
        forget_everybody()
        return file

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("people.jsonl", lambda line: line.update(name="x" * 201)),
            ("people.jsonl", lambda line: line.update(name=None)),
            ("people.jsonl", lambda line: line.update(uid="7")),
            ("people.jsonl", lambda line: line.update(external_id="twice")),
            ("people.jsonl", lambda line: line.update(valid_from="soon")),
            (
                "people.jsonl",
                lambda line: line.update(valid_from="2030-01-01T00:00:00+00:00", valid_until="2020-01-01"),
            ),
            ("people.jsonl", lambda line: line.update(groups=7)),
            ("people.jsonl", lambda line: line.update(groups=["x" * 101])),
            ("people.jsonl", lambda line: line.update(notes="nul \x00")),
            ("people.jsonl", lambda line: line.pop("deny_list_reason")),
            ("samples.jsonl", lambda line: line.update(person="nobody")),
            ("samples.jsonl", lambda line: line.update(status="unheard of")),
            ("samples.jsonl", lambda line: line.update(quality={"sharpness": 1})),
            ("samples.jsonl", lambda line: line.update(template="AAAA")),
            ("samples.jsonl", lambda line: line.update(template="!")),
            ("samples.jsonl", lambda line: line.update(template="A" * 43 + "=")),
            ("samples.jsonl", lambda line: line.update(image_sha256="x" * 65)),
            ("samples.jsonl", lambda line: line.update(doubts=[{"sample": line["uid"], "reason": "unheard of"}])),
            ("images.jsonl", lambda line: line.update(jpeg="!")),
            ("images.jsonl", lambda line: line.pop("sample")),
        ],
    )
    def test_what_cannot_be_stored(self, made: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.changed(made, name, change)
        with pytest.raises((GalleryRefused, archives.ArchiveRefused)):
            bring_in(path)
        assert not Person.objects.exists()
        assert not PersonGroup.objects.exists()

    def test_of_another_pack_with_both_named(self, made: Path) -> None:
        packs_write.activate(pack=fakes.registered_pack(name="other", digest="e" * 64), actor=None)
        with pytest.raises(GalleryRefused, match=r"made by the model pack fake-pack, and .* searches with other"):
            bring_in(made)
        assert not Person.objects.exists()

    def test_an_external_id_that_here_is_somebody_elses(self, file: Path) -> None:
        ada = fill()
        export(file)
        Person.objects.filter(pk=ada.pk).update(external_id=None)
        Person.objects.create(name="Somebody", external_id="7")
        with pytest.raises(GalleryRefused, match="Correct it in the admin"):
            bring_in(file)
