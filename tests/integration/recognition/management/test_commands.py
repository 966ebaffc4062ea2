"""The command line does the whole job on real models: enrol, identify, verify, compare, import, switch, doctor."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recognition.management.commands import doctor
from recognition.models import (
    AnchorPlace,
    DenyListEntry,
    FaceSample,
    FaceTemplate,
    Job,
    ModelPack,
    Person,
    PersonGroup,
    SampleImage,
    ThresholdPolicy,
)
from recognition.services import anchors, jobs, packs, policies
from recognition.vision.images import encode_jpeg
from recognition.vision.runtimes import choice
from tests import faces, fakes

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Eileen Collins"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.jpg"
    path.write_bytes(encode_jpeg(faces.astronaut()))
    return path


@pytest.fixture
def other_photo(tmp_path: Path) -> Path:
    """The same person, smaller: another file, another sample."""
    path = tmp_path / "smaller.jpg"
    smaller = cv2.resize(faces.astronaut(), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    path.write_bytes(encode_jpeg(np.asarray(smaller, np.uint8)))
    return path


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    path = tmp_path / "stranger.jpg"
    face = cv2.copyMakeBorder(faces.tom_hanks(), 48, 48, 48, 48, cv2.BORDER_CONSTANT, value=(90, 90, 90))
    path.write_bytes(encode_jpeg(np.asarray(face, np.uint8)))
    return path


def answer(*arguments: Any, status: int = 0) -> dict[str, Any]:
    """The JSON that a command prints, after it ended with that exit status."""
    out = StringIO()
    try:
        call_command(*(str(argument) for argument in arguments), "--json", stdout=out)
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def words(*arguments: Any) -> str:
    out = StringIO()
    with contextlib.suppress(SystemExit):
        call_command(*(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


class TestEnrol:
    def test_adds_the_person_and_says_what_became_of_each_file(self, photo: Path, tmp_path: Path) -> None:
        empty = tmp_path / "empty.jpg"
        empty.write_bytes(b"")
        values = answer("enrol", NAME, photo, empty, photo)
        assert [row["accepted"] for row in values["results"]] == [True, False, False]
        assert [reason["reason"] for row in values["results"] for reason in row["reasons"]] == [
            "unreadable",
            "duplicate_sample",
        ]
        assert Person.objects.get().samples.get().source == FaceSample.Source.COMMAND

    def test_ends_with_1_when_no_photo_was_taken(self, tmp_path: Path) -> None:
        nobody = tmp_path / "nobody.jpg"
        nobody.write_bytes(encode_jpeg(faces.textures()["brick"]))
        answer("enrol", NAME, nobody, status=1)

    def test_names_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"missing\.jpg: The file cannot be read: No such file"):
            call_command("enrol", NAME, str(tmp_path / "missing.jpg"))


class TestIdentify:
    def test_in_an_empty_gallery_everybody_is_unknown(self, photo: Path) -> None:
        (face,) = answer("identify", photo)["faces"]
        assert (face["decision"], face["candidates"]) == ("reject_no_match", [])
        assert "Face 1: unknown" in words("identify", photo)

    def test_names_who_is_enrolled_and_nobody_else(self, photo: Path, other_photo: Path, stranger: Path) -> None:
        answer("enrol", NAME, photo)
        (face,) = answer("identify", other_photo)["faces"]
        assert (face["decision"], face["candidates"][0]["person_name"]) == ("accept", NAME)
        (face,) = answer("identify", stranger)["faces"]
        assert face["decision"] == "reject_no_match"


class TestVerify:
    def test_accepts_the_person_and_refuses_another_with_exit_status_1(
        self, photo: Path, other_photo: Path, stranger: Path
    ) -> None:
        answer("enrol", NAME, photo)
        assert answer("verify", NAME, other_photo)["decision"] == "accept"
        assert answer("verify", NAME, stranger, status=1)["decision"] == "reject_no_match"

    def test_takes_the_external_id_and_says_when_nobody_has_it(self, photo: Path) -> None:
        answer("enrol", NAME, photo)
        Person.objects.update(external_id="E-7")
        assert answer("verify", "E-7", photo)["similarity"] == pytest.approx(1.0, abs=1e-3)
        with pytest.raises(CommandError, match="Nobody is enrolled as 'E-8'"):
            call_command("verify", "E-8", str(photo))

    def test_asks_for_an_external_id_where_two_people_have_the_name(self, photo: Path) -> None:
        Person.objects.create(name=NAME)
        Person.objects.create(name=NAME)
        with pytest.raises(CommandError, match="external ids"):
            call_command("verify", NAME, str(photo))


class TestCompare:
    def test_gives_similarity_and_distance_of_the_same_vectors(self, photo: Path, other_photo: Path) -> None:
        values = answer("compare", photo, other_photo)
        assert values["decision"] == "accept"
        assert values["distance"] ** 2 == pytest.approx(2 - 2 * values["similarity"], abs=1e-6)

    def test_ends_with_1_for_two_people(self, photo: Path, stranger: Path) -> None:
        answer("compare", photo, stranger, status=1)


class TestImportPeople:
    def test_takes_a_folder_a_person_and_the_second_time_changes_nothing(
        self, photo: Path, stranger: Path, tmp_path: Path
    ) -> None:
        for name, source in (("Eileen_Collins", photo), ("Somebody_Else", stranger)):
            folder = tmp_path / "people" / name
            folder.mkdir(parents=True)
            (folder / "1.jpg").write_bytes(source.read_bytes())
        first = answer("import_people", tmp_path / "people")
        assert (first["people"], first["files"], first["enrolled"]) == (2, 2, 2)
        assert set(Person.objects.values_list("name", flat=True)) == {NAME, "Somebody Else"}
        again = answer("import_people", tmp_path / "people")
        assert (again["enrolled"], again["known"], again["reasons"]) == (0, 2, {})
        assert Job.objects.get().kind == Job.Kind.GALLERY_CHECK

    def test_says_what_a_folder_must_look_like(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="a folder for each person"):
            call_command("import_people", str(tmp_path))

    def test_says_so_where_there_is_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no folder or archive"):
            call_command("import_people", str(tmp_path / "nothing"))

    def test_a_dry_run_changes_nothing_and_says_what_would_happen(self, photo: Path, tmp_path: Path) -> None:
        archive = tmp_path / "staff.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("Eileen_Collins/1.jpg", photo.read_bytes())
            file.writestr("Mae_Jemison/1.jpg", b"no photo")
            file.writestr("Mae_Jemison/notes.txt", b"not a photo either")
        planned = answer("import_people", archive, "--dry-run")
        assert (planned["people"], planned["new_people"], planned["files"]) == (2, 2, 3)
        assert planned["reasons"] == {"not_an_image": 1}
        assert not Person.objects.exists()

    def test_an_archive_with_a_list_is_imported_and_the_results_are_written(self, photo: Path, tmp_path: Path) -> None:
        PersonGroup.objects.create(name="crew")
        listed = "file,name,external_id,groups\n1.jpg,=Eileen,7,crew\n2.jpg,Mae,8,\n3.jpg,Ann,9,nobody\n4.jpg,Bea,10,\n"
        archive, results = tmp_path / "staff.zip", tmp_path / "results.csv"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("people.csv", listed)
            file.writestr("1.jpg", photo.read_bytes())
            file.writestr("2.jpg", b"no photo")
            file.writestr("3.jpg", photo.read_bytes())
        done = answer("import_people", archive, "--results", results)
        assert (done["enrolled"], done["refused"]) == (1, 3)
        assert done["reasons"] == {"unreadable": 1, "unknown_group": 1, "missing": 1}
        person = Person.objects.get()
        assert (person.name, person.external_id, person.groups.get().name) == ("=Eileen", "7", "crew")
        rows = list(csv.reader(results.read_text().splitlines()))
        assert rows[0] == ["file", "person", "result", "reasons"]
        assert ["1.jpg", "'=Eileen", "enrolled", ""] in rows
        assert len(rows) == 5
        with pytest.raises(CommandError, match="cannot be made"):
            call_command("import_people", str(archive), "--results", str(results))

    def test_a_hostile_archive_is_refused_in_words(self, tmp_path: Path) -> None:
        archive = tmp_path / "staff.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("../x.jpg", b"x")
        with pytest.raises(CommandError, match="leads out of the archive"):
            call_command("import_people", str(archive))


class TestModels:
    def test_lists_the_shipped_packs_with_files_digest_licence_and_thresholds(self, photo: Path) -> None:
        answer("identify", photo)
        pack, mtcnn = answer("models")["packs"]
        assert (mtcnn["name"], mtcnn["active"], mtcnn["usable"]) == ("mtcnn-sface", False, True)
        assert set(mtcnn["files"]) == {"detector", "r_net", "o_net", "embedder"}
        assert (pack["name"], pack["active"], pack["usable"], pack["dimension"]) == ("opencv-zoo", True, True, 128)
        assert pack["commercial_use"] is True
        assert [point["fmr"] for point in pack["operating_points"]] == [1e-3, 1e-4, 1e-5]
        assert set(pack["files"]) == {"detector", "embedder"}

    def test_a_pack_that_is_neither_here_nor_to_be_had_is_explained(self, tmp_path: Path, settings: Any) -> None:
        settings.FACEWEB_MODEL_DIR = tmp_path / "models"
        with pytest.raises(CommandError, match=r"no model pack in .*nowhere"):
            call_command("models", "use", str(tmp_path / "nowhere"))
        assert not ModelPack.objects.exists()

    def test_a_switch_keeps_the_rules_and_names_the_versions_that_it_made(self) -> None:
        used = fakes.activated_pack()
        door = fakes.checkpoint("door")
        for checkpoint in (None, door):
            policies.create_version(
                pack=used, values={"requires_pin": True}, reason="a test", actor=None, checkpoint=checkpoint
            )
        values = answer("models", "use", "opencv-zoo")
        made = ThresholdPolicy.objects.filter(pack__name="opencv-zoo", state="active")
        assert values["policy_versions"] == sorted(made.values_list("version", flat=True)) == [4, 5]
        assert list(made.values_list("requires_pin", flat=True)) == [True, True]
        packs.activate(pack=used, actor=None)
        policies.create_version(pack=used, values={}, reason="a test", actor=None, checkpoint=door)
        policies.create_version(pack=used, values={"margin": 0.2}, reason="a test", actor=None)
        assert "Made a threshold policy for it: the site (version 8)." in words("models", "use", "opencv-zoo")

    def test_a_switch_that_would_lose_an_approved_version_is_explained(self) -> None:
        used, now = fakes.activated_pack(), timezone.now()
        waiting = policies.propose(
            pack=used,
            values={},
            reason="a test",
            actor=fakes.user(),
            effective_from=now + dt.timedelta(days=1),
        )
        policies.approve(policy=waiting, actor=fakes.user(), now=now)
        with pytest.raises(CommandError, match="Version 2 of the threshold policy is approved and waits"):
            call_command("models", "use", "opencv-zoo")
        assert ModelPack.objects.get(is_active=True) == used


class TestSwitchOfAGallery:
    """Somebody is enrolled by the default pack; another one is in use by now."""

    @pytest.fixture
    def enrolled(self, photo: Path) -> ModelPack:
        answer("enrol", NAME, photo)
        FaceTemplate.objects.all().delete()
        return fakes.activated_pack(decides=False)

    def test_embeds_the_kept_pictures_and_finds_everybody_again(self, enrolled: ModelPack, other_photo: Path) -> None:
        values = answer("models", "use", "opencv-zoo", "--yes")
        assert (values["switched"], values["samples_without_template"]) == (True, 0)
        assert (values["trial"]["samples"], values["trial"]["embedded"]) == (1, 1)
        (face,) = answer("identify", other_photo)["faces"]
        assert (face["decision"], face["candidates"][0]["person_name"]) == ("accept", NAME)

    def test_a_dry_run_tells_and_switches_nothing(self, enrolled: ModelPack) -> None:
        told = words("models", "use", "opencv-zoo", "--dry-run")
        assert "Samples that the pack has embedded: 1 of 1." in told
        assert "nothing was switched" in told
        values = answer("models", "use", "opencv-zoo", "--dry-run")
        assert (values["switched"], values["policy_versions"]) == (False, [])
        assert ModelPack.objects.get(is_active=True) == enrolled

    def test_is_a_job_which_the_next_command_follows_where_one_was_killed(self, enrolled: ModelPack) -> None:
        words("models", "use", "opencv-zoo", "--dry-run")
        job = Job.objects.get(kind=Job.Kind.PACK_SWITCH)
        assert job.state == Job.State.SUCCEEDED
        FaceTemplate.objects.filter(pack__name="opencv-zoo").delete()
        killed = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters=job.parameters, actor=None)
        assert jobs.begin(job_id=killed.pk, now=timezone.now()) is not None
        values = answer("models", "use", "opencv-zoo", "--dry-run")
        assert values["trial"]["embedded"] == 1
        killed.refresh_from_db()
        assert (killed.state, killed.interruptions, Job.objects.count()) == (Job.State.SUCCEEDED, 1, 2)

    def test_waits_for_no_job_of_another_pack(self, enrolled: ModelPack) -> None:
        jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": enrolled.pk}, actor=None)
        with pytest.raises(CommandError, match="Such a job waits or runs already"):
            answer("models", "use", "opencv-zoo", "--yes")

    def test_asks_before_it_switches(self, enrolled: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda question: "n")
        with pytest.raises(CommandError, match="Nothing was switched"):
            call_command("models", "use", "opencv-zoo", stdout=StringIO())
        assert ModelPack.objects.get(is_active=True) == enrolled
        monkeypatch.setattr("builtins.input", lambda question: "y")
        assert "opencv-zoo is active" in words("models", "use", "opencv-zoo")

    def test_begins_nothing_where_nobody_can_answer(self, enrolled: ModelPack) -> None:
        with pytest.raises(CommandError, match="there is nobody to ask"):
            answer("models", "use", "opencv-zoo")
        assert not FaceTemplate.objects.exists()

    def test_loses_nobody_unless_told_to(self, enrolled: ModelPack) -> None:
        fakes.person("no photo", fakes.probe(), pack=enrolled)
        SampleImage.objects.filter(sample__person__name="no photo").delete()
        with pytest.raises(CommandError, match="1 person would not be found"):
            answer("models", "use", "opencv-zoo", "--yes")
        assert ModelPack.objects.get(is_active=True) == enrolled
        values = answer("models", "use", "opencv-zoo", "--yes", "--force")
        assert (values["switched"], values["samples_without_template"]) == (True, 1)


class TestDoctor:
    def test_says_what_runs_and_that_nothing_is_wrong(self, photo: Path) -> None:
        answer("enrol", NAME, photo)
        report = answer("doctor")
        assert report["problems"] == []
        assert report["database"]["pgvector"]
        assert (report["models"]["pack"], report["models"]["people"]) == ("opencv-zoo", 1)
        assert "not tested yet" in report["models"]["searches"]
        assert "Everything works." in words("doctor")
        anchors.note(place=AnchorPlace.Code.ADDRESS, now=timezone.now(), problem="HTTP 503")
        (problem,) = answer("doctor", status=1)["problems"]
        assert "HTTP 503" in problem

    def test_ends_with_1_where_searches_miss_too_many(self, photo: Path) -> None:
        answer("enrol", NAME, photo)
        stored = {"pack": ModelPack.objects.get(is_active=True).pk, "recall": {"probes": 200, "found": 150}}
        Job.objects.create(
            kind=Job.Kind.GALLERY_CHECK, state=Job.State.SUCCEEDED, result=stored, finished_at=timezone.now()
        )
        (problem,) = answer("doctor", status=1)["problems"]
        assert "for 150 of 200 probes" in problem

    def test_ends_with_1_where_enrolled_people_are_not_found(self, photo: Path) -> None:
        answer("enrol", NAME, photo)
        sample = FaceSample.objects.get()
        sample.templates.all().delete()
        (problem,) = answer("doctor", status=1)["problems"]
        assert "needs re-embedding" in problem

    def test_ends_with_1_where_somebody_on_the_deny_list_cannot_be_recognised(self, photo: Path) -> None:
        answer("enrol", NAME, photo)
        DenyListEntry.objects.create(person=Person.objects.get(), reason="a test")
        answer("doctor")
        FaceSample.objects.update(status=FaceSample.Status.SET_ASIDE)
        (problem,) = answer("doctor", status=1)["problems"]
        assert "1 on the deny list cannot be recognised" in problem
        assert NAME not in problem


class TestDoctorWhereNothingRunsNetworks:
    @pytest.fixture(autouse=True)
    def no_runtime(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "installed", lambda name: False)

    def test_without_workers_elsewhere_everything_is_to_be_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_URL", "")
        assert "run `make setup`" in str(doctor._models()["problem"])

    def test_a_redis_that_is_away_reaches_nobody(self, monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{unused_port}/0")
        assert "Redis does not answer" in str(doctor._models()["problem"])

    def test_workers_are_counted_and_none_is_a_problem(
        self, monkeypatch: pytest.MonkeyPatch, redis_server: str
    ) -> None:
        monkeypatch.setenv("REDIS_URL", redis_server)
        found = doctor._models()
        assert (found["workers"], found["pack"]) == (0, "unknown")
        assert "No worker is alive" in str(found["problem"])
