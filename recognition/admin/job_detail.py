"""A job as people read it: its codes and numbers turned into sentences when shown."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from recognition import classifier_wording, pack_wording, video_wording, wording
from recognition.admin import pack_switch_detail
from recognition.admin.findings import Section
from recognition.models import ImportItem, Job
from recognition.selectors import jobs
from recognition.selectors.gallery_health import COMPARED, NEGLECTED


@dataclasses.dataclass(frozen=True, slots=True)
class JobDetail:
    """What the page shows beside the job's own fields.

    Args:
        sentence: where it stands.
        sections: whom the result is about, where the job is done.
        is_waiting_in_vain: whether it waits and no process takes jobs.
    """

    sentence: str
    sections: tuple[Section, ...]
    is_waiting_in_vain: bool


def detail(job: Job) -> JobDetail:
    """Reads a job's codes and numbers, and makes what the page shows of them."""
    is_done = job.state == Job.State.SUCCEEDED
    return JobDetail(
        sentence=sentence(job),
        sections=_sections(job) if is_done else (),
        is_waiting_in_vain=job.state == Job.State.QUEUED and not jobs.is_anybody_working(),
    )


def sentence(job: Job) -> str:
    """Where the job stands, in a sentence."""
    match job.state:
        case Job.State.QUEUED:
            return gettext("It waits for its turn.")
        case Job.State.RUNNING if job.is_cancel_requested:
            return gettext("It is being cancelled: it ends after its current step.")
        case Job.State.RUNNING if job.total and job.kind == Job.Kind.IMPORT:
            return gettext("%(done)d of %(total)d files are done.") % {"done": job.done, "total": job.total}
        case Job.State.RUNNING if job.kind in (Job.Kind.VIDEO, Job.Kind.VIDEO_COMPARISON) and job.heartbeat_at:
            since = job.checkpoint.get("since", job.heartbeat_at.timestamp())
            passed = dt.timedelta(seconds=job.heartbeat_at.timestamp() - since)
            return video_wording.progress(done=job.done, total=job.total or 0, passed=passed)
        case Job.State.RUNNING if job.total:
            return gettext("Step %(done)d of %(total)d is done.") % {"done": job.done, "total": job.total}
        case Job.State.RUNNING:
            return gettext("It has begun.")
        case Job.State.FAILED:
            return wording.job_error_sentence(job.error_code, job.error_parameters)
        case Job.State.CANCELLED:
            return _cancelled(job.kind)
        case _:
            return _succeeded(job)


def _cancelled(kind: str) -> str:
    match kind:
        case Job.Kind.IMPORT:
            return gettext("It was cancelled. What it had enrolled until then stays.")
        case Job.Kind.PACK_SWITCH:
            return gettext("It was cancelled. What it had embedded until then stays, and nothing was switched.")
        case Job.Kind.UNKNOWNS:
            return gettext("It was cancelled. No face was grouped.")
        case Job.Kind.CLASSIFIERS:
            return gettext("It was cancelled. The classifiers are as they were before.")
        case Job.Kind.VIDEO:
            return gettext("It was cancelled. Nothing of what was seen until then is kept.")
        case _:
            return gettext("It was cancelled. What it had done until then changed nothing in the gallery.")


def _succeeded(job: Job) -> str:
    match job.kind:
        case Job.Kind.IMPORT:
            return imported(job.result)
        case Job.Kind.PACK_SWITCH:
            return " ".join(pack_wording.summary(job.result))
        case Job.Kind.THRESHOLDS:
            return compared(job.result)
        case Job.Kind.UNKNOWNS:
            return grouped(job.result)
        case Job.Kind.CLASSIFIERS:
            return classifier_wording.learned(job.result)
        case Job.Kind.VIDEO:
            return video_wording.watched(job.result)
        case Job.Kind.VIDEO_COMPARISON:
            return video_wording.compared(job.result)
        case _:
            return _checked(job.result)


def imported(counts: Mapping[str, int]) -> str:
    """What became of the files of an import, in a sentence."""
    numbers = {state.value: counts.get(state.value, 0) for state in ImportItem.State}
    return (
        gettext("Enrolled: %(enrolled)d. Set aside: %(set_aside)d. Known already: %(known)d. Not used: %(refused)d.")
        % numbers
    )


def compared(result: Mapping[str, Any]) -> str:
    """What a check of the gallery looked at, in a sentence."""
    people = ngettext("%(count)d person", "%(count)d people", result["people"]) % {"count": result["people"]}
    samples = ngettext("%(count)d sample", "%(count)d samples", result["samples"]) % {"count": result["samples"]}
    text = ngettext(
        "%(people)s with %(samples)s was compared.", "%(people)s with %(samples)s were compared.", result["people"]
    )
    return text % {"people": people, "samples": samples}


def grouped(result: Mapping[str, int]) -> str:
    """What a grouping of unknown faces came to, in a sentence."""
    faces = ngettext("%(count)d face is grouped", "%(count)d faces are grouped", result["faces"])
    people = ngettext("%(count)d new person", "%(count)d new people", result["made"])
    parts = {"faces": faces % {"count": result["faces"]}, "people": people % {"count": result["made"]}}
    return gettext("%(faces)s: %(people)s; %(joined)d joined somebody who was there.") % {
        **parts,
        "joined": result["joined"],
    }


def _checked(result: Mapping[str, Any]) -> str:
    # A check of before there was a kind of findings has none of it.
    count = sum(result[code]["count"] for code in (*COMPARED, *NEGLECTED) if code in result)
    found = ngettext("%(count)d finding.", "%(count)d findings.", count) % {"count": count}
    return f"{compared(result)} {found}"


def _sections(job: Job) -> tuple[Section, ...]:
    return pack_switch_detail.sections(job.result) if job.kind == Job.Kind.PACK_SWITCH else ()
