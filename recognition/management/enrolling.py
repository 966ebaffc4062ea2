"""Enrols files from the command line and tells what became of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recognition import wording
from recognition.decision.doubts import Doubt
from recognition.management.base import fault_json, file_content
from recognition.models import FaceSample, Person
from recognition.services import enrolment
from recognition.services.enrolment import SampleResult


@dataclasses.dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    Args:
        person: whose face it is to show.
        path: the file.
        result: taken, set aside or refused, and why.
    """

    person: Person
    path: Path
    result: SampleResult

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": str(self.path),
            "accepted": self.result.accepted,
            "sample": self.result.sample_id,
            "reasons": [fault_json(fault) for fault in self.result.faults],
            "doubts": [doubt.as_json() for doubt in self.result.doubts],
        }

    def words(self) -> str:
        """A line for people."""
        if self.result.accepted:
            return f"{self.path}: enrolled"
        if self.result.doubts:
            people = Person.objects.in_bulk({doubt.person_id for doubt in self.result.doubts})
            doubts = " ".join(_sentence(doubt, self.person, people) for doubt in self.result.doubts)
            return f"{self.path}: set aside. {doubts}"
        reasons = " ".join(wording.fault_sentence(fault) for fault in self.result.faults)
        return f"{self.path}: not used. {reasons}"


def enrol_files(
    person: Person,
    paths: list[Path],
    source: FaceSample.Source,
    done: Callable[[FileResult], None] = lambda _result: None,
) -> list[FileResult]:
    """Enrols files one after the other.

    Args:
        person: whose faces they show.
        paths: the files.
        source: what the samples say they came from.
        done: told each result as soon as it is known.

    Raises:
        CommandError: when a file cannot be read from disk.
    """
    results = []
    for path in paths:
        added = enrolment.add_sample(person=person, data=file_content(path), source=source, actor=None)
        results.append(FileResult(person, path, added))
        done(results[-1])
    return results


def _sentence(doubt: Doubt, person: Person, people: Mapping[int, Person]) -> str:
    other = people.get(doubt.person_id)
    return wording.doubt_sentence(doubt, person=person.name, other=other.name if other else None)
