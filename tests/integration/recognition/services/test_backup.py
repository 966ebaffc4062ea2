"""Backups of the tests' database, restored into others on the same server."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.utils import timezone

from recognition.models import (
    AuditAction,
    AuditEntry,
    EventCrop,
    FaceSample,
    Job,
    ModelPack,
    Person,
    PersonGroup,
    ThresholdPolicy,
)
from recognition.selectors import gallery, packs
from recognition.services import archives, backup, erasure_ledger, jobs, people, policies, restore, sealed_log, tables
from recognition.services.archives import ArchiveRefused
from recognition.services.erasure_ledger import Erasure
from recognition.services.restore import Restored
from tests import fakes, remembered_states
from tests.integration.recognition.migrations.conftest import migrate
from tests.other_databases import empty_database, rows_of, second_connection

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = (archives.fingerprint(KEY.public_key()),)


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path, settings: Any) -> Path:
    settings.FACEWEB_STATE_DIR = tmp_path / "state"
    return erasure_ledger.ledger()


@pytest.fixture(autouse=True)
def _migrations_are_quick() -> Iterator[None]:
    """A restore makes the tables of a database."""
    with remembered_states.used():
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.zip"


def make(path: Path, *, report: archives.Report = lambda size: None) -> backup.Made:
    return backup.write(path=path, key=KEY, keys={"secret_key": b"known"}, program="1.0", report=report)


def bring_back(path: Path, erased: Sequence[Erasure] = ()) -> Restored:
    with archives.opened(path=path, kind=backup.KIND, trusted=TRUSTED) as archive:
        archive.verify()
        return restore.into_empty_database(archive=archive, erased=erased)


def fill() -> tuple[Person, Person]:
    """Two people with templates and groups, an event that names one, a policy's history, and a job that waits."""
    pack = fakes.activated_pack()
    ada = fakes.person("Ada Lovelace", fakes.probe(), fakes.like_probe(0.7))
    bob = fakes.person("Bob \\N\ttab\nline “é”", fakes.like_probe(0.1, axis=2))
    ada.groups.add(PersonGroup.objects.create(name="staff"))
    policies.create_version(pack=pack, values={"margin": 0.2}, reason="a test", actor=fakes.user())
    event = fakes.event(person=ada, best_person=ada, best_sample=ada.samples.first())
    EventCrop.objects.create(event=event, jpeg=bytes(range(256)))
    fakes.checkpoint("door", *ada.groups.all())
    jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    return ada, bob


def found() -> list[tuple[str, float]]:
    candidates = gallery.search(fakes.probe(), packs.active()).people
    return [(each.person_name, each.similarity) for each in candidates]


def test_every_table_is_copied_or_left_out_on_purpose() -> None:
    copied = {table.name for table in tables.stored()}
    left_out = {"django_migrations", "django_session"}
    rest = set(connection.introspection.table_names()) - copied - left_out - tables.LEFT_OUT_TABLES
    assert rest | tables.LEFT_OUT_TABLES <= set(connection.introspection.table_names())
    assert {name.partition("_")[0] for name in rest} == {"axes", "procrastinate"}
    assert {"recognition_person_groups", "recognition_sampleimage", "auth_user", "recognition_auditentry"} <= copied


class TestRestore:
    def test_brings_back_every_row_number_and_search_result(self, file: Path) -> None:
        fill()
        before = {table.name: rows_of(table.name) for table in tables.stored()}
        made = make(file)
        sequences = {table.name: table.sequences for table in tables.stored()}
        results = found()
        job = Job.objects.get()
        with empty_database():
            done = bring_back(file)
            assert done.keys == {"secret_key": b"known"}
            assert (done.erased, done.jobs) == (0, 1)
            assert done.rows == made.rows == {name: len(rows) for name, rows in before.items()}
            restored = AuditEntry.objects.get(action=AuditAction.BACKUP_RESTORED)
            assert restored.subject == "installation"
            assert found() == results
            assert Job.objects.get().queue_number is not None
            # The entry that a backup was made is written when it is whole, and so is not in it.
            log = {f"recognition_{name}" for name in ("auditentry", "sealedrow", "sealedcontent")}
            for name, rows in before.items():
                if name != "recognition_job":
                    assert (rows_of(name)[:-1] if name in log else rows_of(name)) == rows, name
            assert sealed_log.verify().is_whole
            assert Job.objects.values("pk", "state", "parameters").get() == {
                "pk": job.pk,
                "state": "queued",
                "parameters": {},
            }
            for table in tables.stored():
                if table.name not in {*log, "django_content_type", "auth_permission"}:
                    assert table.sequences == sequences[table.name], table.name
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'facetemplate_dimension_pack_%'")
                assert cursor.fetchone() == (1,)
            Person.objects.create(name="the next one")
            version = ThresholdPolicy.objects.order_by("version").last()
            assert version is not None
            assert version.margin == 0.2
        assert AuditEntry.objects.filter(action=AuditAction.BACKUP_MADE).count() == 1

    def test_an_empty_installation_comes_back_empty(self, file: Path) -> None:
        make(file)
        with empty_database():
            done = bring_back(file)
            assert not Person.objects.exists()
            assert done.jobs == 0

    def test_goes_into_an_empty_database_only(self, file: Path) -> None:
        ada, _ = fill()
        make(file)
        with pytest.raises(restore.NotEmpty, match="new state directory"):
            bring_back(file)
        assert Person.objects.filter(pk=ada.pk).exists()

    def test_erases_again_who_was_erased_since(self, file: Path, own_ledger: Path) -> None:
        ada, bob = fill()
        kept, gone = ada.samples.order_by("pk")
        made = make(file)
        number = bob.pk
        fakes.erase(bob)
        people.delete_sample(sample=gone, actor=None)
        erased = erasure_ledger.since(moment=made.moment, ledgers=[own_ledger])
        with empty_database():
            assert bring_back(file, erased).erased == 2  # the person's sample went with the person
            assert list(Person.objects.values_list("uid", flat=True)) == [ada.uid]
            assert list(FaceSample.objects.values_list("uid", flat=True)) == [kept.uid]
            subjects = AuditEntry.objects.filter(action=AuditAction.PERSON_ERASED).values_list("subject", flat=True)
            assert list(subjects) == [f"person:{number}"]

    def test_what_somebody_writes_meanwhile_is_in_it_as_a_whole_or_not_at_all(self, file: Path) -> None:
        ada, _ = fill()
        moved: list[int] = []

        def write(size: int) -> None:
            if not moved:  # once, when the first table is being copied
                with second_connection() as other, other.transaction():
                    row = other.execute("INSERT INTO recognition_persongroup (name) VALUES ('late') RETURNING id")
                    moved.extend(row.fetchone() or ())
                    other.execute(
                        "INSERT INTO recognition_person_groups (person_id, persongroup_id) VALUES (%s, %s)",
                        [ada.pk, moved[0]],
                    )

        make(file, report=write)
        assert ada.groups.filter(name="late").exists()
        with empty_database():
            bring_back(file)
            assert list(Person.objects.get(pk=ada.pk).groups.values_list("name", flat=True)) == ["staff"]

    def test_a_backup_of_an_older_schema_is_brought_to_this_one(self, file: Path) -> None:
        with empty_database():
            old = migrate("0009_doubtful_samples")
            person = old.get_model("recognition", "Person").objects.create(name="Ada", external_id="7")
            old.get_model("recognition", "FaceSample").objects.create(
                person=person, source="upload", quality={}, image_sha256="0" * 64
            )
            make(file)
            with empty_database():
                done = bring_back(file)
                ada = Person.objects.get()
                assert (ada.name, ada.external_id, ada.merged_into, ada.keeps_photos) == ("Ada", "7", None, True)
                assert ada.samples.get().uid != ada.uid
                assert done.rows["recognition_person"] == 1
                assert ("recognition", "0010_people_pages") in tables.applied_migrations()


class TestRefused:
    """A signed archive that does not fit leaves the database as empty as it was."""

    def changed(self, file: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
        with archives.opened(path=file, kind=backup.KIND, trusted=TRUSTED) as archive:
            contents = json.loads(json.dumps(archive.contents))
            members = {name: b"".join(archive.read(name)) for name in archive.members}
        change(contents, members)
        for name in ("members", "format", "kind"):
            del contents[name]
        path = file.with_name("changed.zip")
        with archives.writing(path=path, kind=backup.KIND, key=KEY) as writer:
            for name, content in members.items():
                writer.add(name, content)
            writer.finish(contents)
        return path

    @pytest.fixture
    def made(self, file: Path) -> Path:
        fill()
        make(file)
        return file

    def test_of_a_newer_program(self, made: Path) -> None:
        path = self.changed(made, lambda said, _: said["migrations"].append(["recognition", "9999_future"]))
        with empty_database():
            with pytest.raises(ArchiveRefused, match=r"migration recognition\.9999_future"):
                bring_back(path)
            assert tables.stored() == []

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda said, members: said["tables"].pop(), "not those that its migrations make"),
            (lambda said, members: said["tables"][0]["columns"].append("more"), "not those that its migrations make"),
            (
                lambda said, members: next(
                    table for table in said["tables"] if table["name"] == "recognition_person"
                ).update(rows=3),
                "has 2 rows of recognition_person in place of 3",
            ),
            (
                lambda said, members: members.update({"database/recognition_person.copy": b"a secret name\n"}),
                "PostgreSQL refused: ",
            ),
            (lambda said, members: said.pop("moment"), "lacks what a backup says of itself"),
        ],
        ids=["a table less", "a column more", "a row less", "no rows", "no moment"],
    )
    def test_with_other_contents_than_it_says(
        self, made: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], reason: str
    ) -> None:
        path = self.changed(made, change)
        with empty_database():
            with pytest.raises(ArchiveRefused, match=reason) as refusal:
                bring_back(path)
            assert "secret" not in str(refusal.value)
            assert tables.stored() == []

    def test_with_rows_that_name_others_which_are_not_there(self, made: Path) -> None:
        def forget_people(said: dict[str, Any], members: dict[str, bytes]) -> None:
            members["database/recognition_person.copy"] = b""
            next(table for table in said["tables"] if table["name"] == "recognition_person")["rows"] = 0

        path = self.changed(made, forget_people)
        with empty_database():
            with pytest.raises(ArchiveRefused, match="ForeignKeyViolation 23503 recognition_"):
                bring_back(path)
            assert tables.stored() == []

    def test_damaged(self, made: Path) -> None:
        with zipfile.ZipFile(made) as whole:
            offset = whole.getinfo("database/recognition_facetemplate.copy").header_offset
        content = bytearray(made.read_bytes())
        content[offset + 120] ^= 1
        path = made.with_name("damaged.zip")
        path.write_bytes(content)
        with empty_database():
            with pytest.raises(ArchiveRefused, match="damaged"):
                bring_back(path)
            assert tables.stored() == []


def test_a_backup_that_fails_leaves_neither_a_file_nor_an_entry(file: Path) -> None:
    fakes.activated_pack()

    def stop(size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(file, report=stop)
    assert list(file.parent.glob("*.zip")) + list(file.parent.glob(".*")) == []
    assert not AuditEntry.objects.filter(action=AuditAction.BACKUP_MADE).exists()
    assert ModelPack.objects.exists()


def test_the_moment_of_a_backup_is_not_later_than_what_it_holds(file: Path) -> None:
    before = timezone.now()
    assert abs(make(file).moment - before) < erasure_ledger.CLOCK_SKEW
