"""Enrols files from the command line and tells what became of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recognition import wording
from recognition.management.base import fault_json, file_content
from recognition.models import FaceSample, Person
from recognition.services import enrolment
from recognition.services.enrolment import SampleResult


@dataclasses.dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    Args:
        path: the file.
        result: taken, or refused and why.
    """

    path: Path
    result: SampleResult

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": str(self.path),
            "accepted": self.result.accepted,
            "sample": self.result.sample_id,
            "reasons": [fault_json(fault) for fault in self.result.faults],
        }

    def words(self) -> str:
        """A line for people."""
        if self.result.accepted:
            return f"{self.path}: enrolled"
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
        results.append(FileResult(path, added))
        done(results[-1])
    return results
