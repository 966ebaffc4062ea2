"""What a job found, as its page lists it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody a finding is about.

    Args:
        id: primary key.
        name: empty when the person was erased since.
        sample: the sample responsible; None where it is the person altogether.
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
    similarity: str = ""
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
