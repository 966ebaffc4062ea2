"""A real jobs process that is killed while it tries a pack out."""

from __future__ import annotations

import re
import signal

import pytest

from recognition.models import FaceTemplate, Job
from recognition.selectors import gallery, packs
from recognition.services import jobs
from tests import fakes, shades
from tests.integration.recognition.jobs.conftest import Start
from tests.integration.recognition.jobs.test_process import wait_for, wait_until_the_queue_is_empty
from tests.processes import Process

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 6
"""With one sample each; two at a time these are three steps."""


def steps_of(process: Process) -> list[list[int]]:
    return [[int(number) for number in step.split()] for step in re.findall(r"step ([\d ]+)\n", process.output)]


def test_a_trial_whose_process_is_killed_in_the_middle_is_finished_once_while_the_old_pack_serves(
    start_pack_switch: Start,
) -> None:
    other = fakes.registered_pack(name="other", digest=shades.DIGEST)
    used = fakes.activated_pack()
    samples = []
    for axis, shade in shades.BY_AXIS:
        sample = fakes.person(f"person {axis}", fakes.like_probe(0.0, axis=axis)).samples.get()
        shades.keep(sample, shade)
        samples.append(sample.pk)
    job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": other.pk}, actor=None)
    killed = start_pack_switch(1)
    killed.wait_for(f"step {samples[2]} {samples[3]}\n")
    killed.send(signal.SIGKILL)
    killed.wait()
    # What was written and not committed is gone, and nobody in front of a camera notices any of it.
    assert list(FaceTemplate.objects.filter(pack=other).values_list("sample", flat=True)) == samples[:2]
    assert gallery.search(fakes.like_probe(0.0, axis=3), packs.active()).best is not None
    following = start_pack_switch(-1)
    done = wait_for(job, Job.State.SUCCEEDED)
    assert steps_of(following) == [samples[2:4], samples[4:]]
    assert (done.attempt, done.interruptions, done.checkpoint) == (2, 1, {})
    assert (done.result["samples"], done.result["embedded"]) == (PEOPLE, PEOPLE)
    stored = FaceTemplate.objects.filter(pack=other).order_by("pk")
    assert list(stored.values_list("sample", flat=True)) == samples
    assert packs.active().id == used.pk
    wait_until_the_queue_is_empty()
