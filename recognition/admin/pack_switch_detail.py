"""What a model pack that was tried out would change, as the pages of the job and of the pack tell it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from recognition import pack_wording
from recognition.admin.findings import Finding, FoundPerson, Section
from recognition.models import Job, ModelPack
from recognition.selectors import jobs, pack_switch
from recognition.services import pack_switch as switching


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """The last trial of a pack.

    Args:
        job: that did it.
        sentences: what it found out; empty while it is not done.
        is_current: whether all that is still so.
        has_losses: whether a switch would lose people, or decide nothing.
    """

    job: Job
    sentences: tuple[str, ...] = ()
    is_current: bool = False
    has_losses: bool = False


def trial(pack: ModelPack) -> Trial | None:
    """The last trial of a pack; None where it was never tried out."""
    job = pack_switch.latest_trial(pack)
    if job is None or job.state != Job.State.SUCCEEDED:
        return Trial(job) if job is not None else None
    return Trial(
        job,
        pack_wording.summary(job.result),
        is_current=switching.basis(pack=pack) == job.result["basis"],
        has_losses=bool(job.result["lost"]["count"]) or not pack.decides,
    )


def sections(result: Mapping[str, Any]) -> tuple[Section, ...]:
    """Whom a switch would concern, and by which samples."""
    told = {code: result[code]["told"] for code in ("lost", "worse", "newly_confused")}
    names = jobs.names(number for findings in told.values() for finding in findings for number in finding["people"])

    def section(code: str, heading: str, meaning: str) -> Section:
        findings = tuple(_finding(finding, names) for finding in told[code])
        count = result[code]["count"]
        return Section(code, heading % {"count": count}, meaning, findings, count - len(findings))

    found = (
        section(
            "lost",
            gettext("People who would not be found any more: %(count)d"),
            gettext(
                "None of their samples could be embedded by this pack: no photos are kept of them, or it finds no face "
                "in those. Enrol other photos of them, then try the pack out again."
            ),
        ),
        section(
            "worse",
            gettext("Samples that find their person first only with the pack in use: %(count)d"),
            gettext(
                "Each was compared with all others. With the new pack the most similar one is somebody else's, who is "
                "named beside it."
            ),
        ),
        section(
            "newly_confused",
            gettext("People who may be taken for each other only with this pack: %(count)d"),
            gettext(
                "Two of their samples reach the verification threshold of the new pack, and none did that of the pack "
                "in use."
            ),
        ),
    )
    # Without thresholds nobody was looked for, which the summary says; "none was found" would be untrue.
    return found if result["threshold"] is not None else found[:-1]


def _finding(finding: Mapping[str, Any], names: Mapping[int, str]) -> Finding:
    samples = finding.get("samples", [None] * len(finding["people"]))
    people = tuple(
        FoundPerson(number, names.get(number, ""), sample)
        for number, sample in zip(finding["people"], samples, strict=True)
    )
    return Finding(people, f"{finding['similarity']:.3f}" if "similarity" in finding else "")
