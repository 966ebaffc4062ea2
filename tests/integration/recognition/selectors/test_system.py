"""What the dashboard says of the parts of the system."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from recognition.jobs.videos import PERSON_GONE, VIDEO_GONE, VIDEO_TOO_LONG, VIDEO_UNREADABLE
from recognition.models import ActionDelivery, Job
from recognition.selectors import system
from recognition.selectors.system import LATELY, LEAST_FREE_BYTES, Part
from tests import fakes
from tests.fakes import NOW

pytestmark = pytest.mark.django_db

Usage = namedtuple("Usage", "free")


def ill(*, recognises: bool = True) -> dict[Part, int]:
    """The parts that somebody has to look after, with their numbers."""
    return {state.part: state.number for state in system.look(now=NOW, recognises=recognises) if not state.is_well}


def test_a_new_database_has_neither_thresholds_nor_a_jobs_process() -> None:
    assert ill(recognises=False) == {Part.RECOGNITION: 0, Part.THRESHOLDS: 0, Part.JOBS: 0}


def test_what_failed_lately_is_counted_and_what_failed_before_is_not() -> None:
    fakes.activated_pack()
    for age in (LATELY / 2, LATELY * 2):
        ended = NOW - age
        Job.objects.create(kind=Job.Kind.IMPORT, state=Job.State.FAILED, finished_at=ended)
        door = fakes.checkpoint(f"door-{age.days}")
        ActionDelivery.objects.create(checkpoint=door, event=fakes.event(), state="expired", expires_at=ended)
    assert ill() == {Part.JOBS: 0, Part.FAILED_JOBS: 1, Part.WEBHOOKS: 1}


@pytest.mark.parametrize("code", [VIDEO_UNREADABLE, VIDEO_TOO_LONG, VIDEO_GONE, PERSON_GONE])
def test_a_video_that_cannot_be_watched_is_no_problem_of_the_installation(code: str) -> None:
    fakes.activated_pack()
    Job.objects.create(kind=Job.Kind.VIDEO, state=Job.State.FAILED, finished_at=NOW, error_code=code)
    assert ill() == {Part.JOBS: 0}


def test_a_disk_that_is_nearly_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.activated_pack()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=LEAST_FREE_BYTES - 1))
    assert ill() == {Part.JOBS: 0, Part.DISK: LEAST_FREE_BYTES - 1}
