"""What became of each file that was enrolled or imported from the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recognition import import_wording, wording
from recognition.decision.doubts import Doubt
from recognition.import_wording import spreadsheet_cell
from recognition.importing.entries import PlannedFile, Skip
from recognition.management.base import fault_json
from recognition.models import ImportItem, Person
from recognition.services import import_batches
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
            doubts = " ".join(_doubt_sentence(doubt, self.person.name, people) for doubt in self.result.doubts)
            return f"{self.path}: set aside. {doubts}"
        reasons = " ".join(wording.fault_sentence(fault) for fault in self.result.faults)
        return f"{self.path}: not used. {reasons}"


def _doubt_sentence(doubt: Doubt, person: str, people: Mapping[int, Person]) -> str:
    other = people.get(doubt.person_id)
    return wording.doubt_sentence(doubt, person=person, other=other.name if other else None)


@dataclasses.dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file of an import.

    Args:
        path: inside the folder or archive.
        person: whom it shows, as the import calls them.
        state: what became of it.
        why: as codes, with what was measured and required.
        reasons: the same in sentences.
        sample: primary key of the sample that it became.
    """

    path: str
    person: str
    state: ImportItem.State
    why: tuple[Mapping[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()
    sample: int | None = None

    @classmethod
    def skipped(cls, file: PlannedFile, skip: Skip) -> FileOutcome:
        """Of a file that is left out."""
        sentence = import_wording.skip_sentence(skip)
        return cls(file.path, _called(file), ImportItem.State.REFUSED, ({"reason": skip.value},), (sentence,))

    @classmethod
    def known(cls, file: PlannedFile) -> FileOutcome:
        """Of a file that the person has already."""
        return cls(file.path, _called(file), ImportItem.State.KNOWN)

    @classmethod
    def of(cls, file: PlannedFile, result: SampleResult) -> FileOutcome:
        """Of a file that was looked at."""
        state = import_batches.state_of(result)
        if state is ImportItem.State.KNOWN:
            return cls.known(file)
        people = Person.objects.in_bulk({doubt.person_id for doubt in result.doubts})
        doubts = [(doubt.as_json(), _doubt_sentence(doubt, _called(file), people)) for doubt in result.doubts]
        faults = [(fault_json(fault), wording.fault_sentence(fault)) for fault in result.faults]
        why, sentences = zip(*(doubts or faults), strict=True) if doubts or faults else ((), ())
        return cls(file.path, _called(file), state, why, sentences, result.sample_id)

    def row(self) -> tuple[str, str, str, str]:
        """For a spreadsheet, which must take no text for a formula."""
        cells = (self.path, self.person, str(self.state.label), " ".join(self.reasons))
        path, person, state, reasons = (spreadsheet_cell(cell) for cell in cells)
        return path, person, state, reasons

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": self.path,
            "person": self.person,
            "result": self.state.value,
            "sample": self.sample,
            "reasons": list(self.why),
        }

    def words(self) -> str:
        """A line for people."""
        return f"{self.path}: {self.state.label}. {' '.join(self.reasons)}"


def _called(file: PlannedFile) -> str:
    return (file.person.name or file.person.external_id) if file.person is not None else ""
