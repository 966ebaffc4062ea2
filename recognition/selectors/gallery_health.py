"""What the newest check of the gallery found, less what was dealt with since."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from recognition.models import FaceSample, Job, Person
from recognition.selectors import doubts, health, packs, templates
from recognition.selectors.health import Enrolled
from recognition.selectors.packs import NoActivePack
from recognition.selectors.people import recognised
from recognition.selectors.search_recall import Recall

COMPARED = ("confusable", "outliers", "duplicates")
"""Kinds of findings about samples that were held against each other."""

NEGLECTED = ("thin", "unseen", "stale")
"""Kinds of findings about somebody's enrolment as a whole."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One finding that still holds.

    Args:
        people: whom it is about, as many as there are samples.
        samples: those responsible; None where it is the person altogether and no sample stands for them.
        similarity: between the samples, -1..1; None where nothing was compared.
        enrolled: how the person stands now; None where samples were compared.
    """

    people: tuple[int, ...]
    samples: tuple[int | None, ...]
    similarity: float | None = None
    enrolled: Enrolled | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class FaultKind:
    """Findings of one kind.

    Args:
        code: of the kind.
        faults: those that are listed and still hold, the gravest first.
        settled: how many that were listed hold no more.
        left_out: how many the check counted and did not list.
    """

    code: str
    faults: tuple[Fault, ...]
    settled: int
    left_out: int

    @property
    def count(self) -> int:
        """How many are left, listed or not."""
        return len(self.faults) + self.left_out


@dataclasses.dataclass(frozen=True, slots=True)
class GalleryHealth:
    """The newest check that came to its end.

    Args:
        job: that did it.
        kinds: what it found; a check of before there was a kind lacks it.
        has_changed: whether other samples are searched since, or by another pack or threshold.
        recall: of searches; None where a check of before there was that self-test is the newest.
    """

    job: Job
    kinds: tuple[FaultKind, ...]
    has_changed: bool
    recall: Recall | None

    @property
    def count(self) -> int:
        """Findings of all kinds that are left."""
        return sum(kind.count for kind in self.kinds)

    @property
    def settled(self) -> int:
        """Findings of all kinds that hold no more."""
        return sum(kind.settled for kind in self.kinds)


def latest(*, now: dt.datetime) -> GalleryHealth | None:
    """What the newest check found and still holds; None where none was ever finished."""
    job = _newest_finished()
    if job is None:
        return None
    kinds = (*_compared(job.result), *_neglected(job.result, now))
    return GalleryHealth(job, kinds, has_changed=_basis(job.result) != _basis_now(), recall=_recall(job))


def newest_recall(pack_id: int) -> Recall | None:
    """Of searches with a pack, as the newest finished check measured it; None where none did."""
    job = _newest_finished()
    return _recall(job) if job is not None and job.result["pack"] == pack_id else None


def _newest_finished() -> Job | None:
    done = Job.objects.filter(kind=Job.Kind.GALLERY_CHECK, state=Job.State.SUCCEEDED)
    return done.order_by("-finished_at", "-pk").first()


def _recall(job: Job) -> Recall | None:
    stored = job.result.get("recall")
    return Recall.from_json(stored) if stored is not None else None


def newest_job() -> Job | None:
    """The check that was asked for last, whatever became of it."""
    return Job.objects.filter(kind=Job.Kind.GALLERY_CHECK).order_by("-pk").first()


def _basis(result: Mapping[str, Any]) -> tuple[Any, ...]:
    return result.get("gallery"), result["pack"], result["threshold"]


def _basis_now() -> tuple[Any, ...] | None:
    try:
        pack = packs.active()
    except NoActivePack:
        return None
    return templates.searched_digest(pack.id), pack.id, pack.policy.verification_threshold if pack.policy else None


def _compared(result: Mapping[str, Any]) -> Iterable[FaultKind]:
    """A finding holds while its samples are searched as that person's, and nobody told the two people apart."""
    told = {code: [_fault(each) for each in result[code]["told"]] for code in COMPARED}
    numbers = {sample for faults in told.values() for fault in faults for sample in fault.samples if sample is not None}
    searched = FaceSample.objects.filter(
        pk__in=numbers, status=FaceSample.Status.ACTIVE, person__in=Person.objects.filter(recognised())
    )
    whose = dict(searched.values_list("pk", "person_id"))
    apart = doubts.all_told_apart()
    for code, faults in told.items():
        left = tuple(
            fault
            for fault in faults
            if all(whose.get(sample or 0) == person for person, sample in zip(fault.people, fault.samples, strict=True))
            and fault.people not in apart
        )
        yield FaultKind(code, left, len(faults) - len(left), result[code]["count"] - len(faults))


def _fault(found: Mapping[str, Any]) -> Fault:
    samples = tuple(found.get("samples") or [found["sample"]])
    people = tuple(found.get("people") or [found["person"]] * len(samples))
    return Fault(people, samples, found["similarity"])


def _neglected(result: Mapping[str, Any], now: dt.datetime) -> Iterable[FaultKind]:
    """A finding holds while it would be one now."""
    told = {code: [each["person"] for each in result[code]["told"]] for code in NEGLECTED if code in result}
    asked = {number for people in told.values() for number in people}
    found = {each.person: each for each in health.everybody(asked)} if asked else {}
    for code, people in told.items():
        left = [found[number] for number in people if number in found and _holds(code, found[number], now)]
        faults = tuple(Fault((each.person,), (each.sample,), enrolled=each) for each in left)
        yield FaultKind(code, faults, len(people) - len(left), result[code]["count"] - len(people))


def _holds(code: str, enrolled: Enrolled, now: dt.datetime) -> bool:
    match code:
        case "thin":
            return enrolled.is_thin
        case "unseen":
            return enrolled.is_unseen(now)
        case _:
            return enrolled.is_stale(now)
