"""A job as people read it: its codes and numbers turned into sentences when shown."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.template.defaultfilters import date as formatted
from django.utils.translation import gettext, gettext_lazy, ngettext

from recognition import wording
from recognition.models import ImportItem, Job
from recognition.selectors import jobs


@dataclasses.dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody a finding is about.

    Args:
        id: primary key.
        name: empty when the person was erased since.
        sample: the sample responsible; None where there is none.
    """

    id: int
    name: str
    sample: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One line of the result.

    Args:
        people: whom it is about, each with the sample responsible.
        similarity: in words, to as many digits as tell it from the threshold; empty where nothing was compared.
        note: what else there is to say.
    """

    people: tuple[FoundPerson, ...]
    similarity: str
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Findings of one kind.

    Args:
        code: of the kind.
        heading: with how many there are.
        meaning: what it means, and what to do.
        findings: those that are listed, the gravest first.
        left_out: how many more there are.
    """

    code: str
    heading: str
    meaning: str
    findings: tuple[Finding, ...]
    left_out: int


@dataclasses.dataclass(frozen=True, slots=True)
class JobDetail:
    """What the page shows beside the job's own fields.

    Args:
        sentence: where it stands.
        sections: of a gallery check that is done.
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
        sections=_sections(job.result) if is_done and job.kind == Job.Kind.GALLERY_CHECK else (),
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
        case Job.State.RUNNING if job.total:
            return gettext("Step %(done)d of %(total)d is done.") % {"done": job.done, "total": job.total}
        case Job.State.RUNNING:
            return gettext("It has begun.")
        case Job.State.FAILED:
            return wording.job_error_sentence(job.error_code, job.error_parameters)
        case Job.State.CANCELLED if job.kind == Job.Kind.IMPORT:
            return gettext("It was cancelled. What it had enrolled until then stays.")
        case Job.State.CANCELLED:
            return gettext("It was cancelled. What it had done until then changed nothing in the gallery.")
        case _ if job.kind == Job.Kind.IMPORT:
            return imported(job.result)
        case _:
            return _done(job.result)


def imported(counts: Mapping[str, int]) -> str:
    """What became of the files of an import, in a sentence."""
    numbers = {state.value: counts.get(state.value, 0) for state in ImportItem.State}
    return (
        gettext("Enrolled: %(enrolled)d. Set aside: %(set_aside)d. Known already: %(known)d. Not used: %(refused)d.")
        % numbers
    )


def _done(result: Mapping[str, Any]) -> str:
    people = ngettext("%(count)d person", "%(count)d people", result["people"]) % {"count": result["people"]}
    samples = ngettext("%(count)d sample", "%(count)d samples", result["samples"]) % {"count": result["samples"]}
    return gettext("%(people)s with %(samples)s were compared.") % {"people": people, "samples": samples}


def _sections(result: Mapping[str, Any]) -> tuple[Section, ...]:
    told = {code: result[code]["told"] for code in ("confusable", "outliers", "duplicates")}
    threshold, twice = result["threshold"], result["duplicate_threshold"]
    names = jobs.names(
        person
        for findings in told.values()
        for finding in findings
        for person in finding.get("people", [finding.get("person")])
    )

    def found(finding: Mapping[str, Any], limit: float) -> Finding:
        samples = finding.get("samples", [finding.get("sample")])
        people = finding.get("people", [finding.get("person")] * len(samples))
        shown = tuple(FoundPerson(one, names.get(one, ""), of) for one, of in zip(people, samples, strict=True))
        return Finding(shown, wording.compared(finding["similarity"], limit)["has"])

    def section(code: str, heading: str, meaning: str, limit: float) -> Section:
        findings = tuple(found(finding, limit) for finding in told[code])
        count = result[code]["count"]
        numbers = {"count": count, "threshold": f"{limit:.3f}"}
        return Section(code, heading % numbers, meaning % numbers, findings, count - len(findings))

    return (
        section(
            "confusable",
            gettext("People who may be taken for each other: %(count)d"),
            gettext(
                "Two samples of different people reach %(threshold)s, the threshold of a verification. Either one of "
                "the samples is the other person's, or it is one person under two names, or the two look alike."
            ),
            threshold,
        ),
        section(
            "outliers",
            gettext("Samples that do not fit their person: %(count)d"),
            gettext(
                "No other sample of the person reaches %(threshold)s with it. It may show somebody else, or the person "
                "as the camera never sees them."
            ),
            threshold,
        ),
        section(
            "duplicates",
            gettext("Samples that are there twice: %(count)d"),
            gettext(
                "Two samples of one person reach %(threshold)s: nearly the same picture, of which one is enough. "
                "Another view of the person helps more."
            ),
            twice,
        ),
        *_neglected_sections(result),
    )


_NEGLECTED = {
    "thin": (
        gettext_lazy("People with too few views: %(count)d"),
        gettext_lazy("Fewer than two samples are searched, or none from the front. Add photos."),
    ),
    "unseen": (
        gettext_lazy("People who were never recognised: %(count)d"),
        gettext_lazy(
            "Enrolled over 30 days ago. They may not come here, or their photos show somebody else or too little."
        ),
    ),
    "stale": (
        gettext_lazy("People who were not recognised for long: %(count)d"),
        gettext_lazy("Not for 180 days. Set those inactive who have left, and add photos of those who look different."),
    ),
}


def _neglected_sections(result: Mapping[str, Any]) -> tuple[Section, ...]:
    """People whose enrolment deserves a look; a check of before there were these sections has none."""
    there = {code: result[code] for code in _NEGLECTED if code in result}
    names = jobs.names(found["person"] for each in there.values() for found in each["told"])
    sections = []
    for code, found in there.items():
        heading, meaning = _NEGLECTED[code]
        findings = tuple(
            Finding((FoundPerson(each["person"], names.get(each["person"], ""), each["sample"]),), "", _note(each))
            for each in found["told"]
        )
        count = found["count"]
        sections.append(Section(code, str(heading) % {"count": count}, str(meaning), findings, count - len(findings)))
    return tuple(sections)


def _note(found: Mapping[str, Any]) -> str:
    if found["last_seen"]:
        moment = dt.datetime.fromisoformat(found["last_seen"])
        return gettext("last recognised %(at)s") % {"at": formatted(moment, "DATE_FORMAT")}
    samples = ngettext("%(count)d sample", "%(count)d samples", found["samples"]) % {"count": found["samples"]}
    return gettext("%(samples)s, none from the front") % {"samples": samples} if found["no_front"] else samples
