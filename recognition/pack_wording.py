"""What was found out about a model pack that was tried out, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext


def summary(result: Mapping[str, Any]) -> tuple[str, ...]:
    """What a switch to the pack would mean, a sentence for each question.

    Args:
        result: of the job, as it was stored.
    """
    lost, worse, confusable = (result[code]["count"] for code in ("lost", "worse", "newly_confused"))
    return (
        *_embedded(result),
        gettext("People who would not be found any more: %(count)d of %(people)d.")
        % {"count": lost, "people": result["people"]},
        gettext(
            "Samples compared with all others: %(probes)d, of people with several. Only the pack in use finds the "
            "right person first for %(worse)d of them, only this one for %(better)d."
        )
        % {"probes": result["probes"], "worse": worse, "better": result["better"]},
        _confusable(confusable, result["threshold"]),
    )


def _embedded(result: Mapping[str, Any]) -> tuple[str, ...]:
    sentences = [gettext("Samples that the pack has embedded: %(embedded)d of %(samples)d.") % result]
    if result["without_picture"]:
        sentences.append(
            gettext("Without a picture to embed, because none is kept: %(without_picture)d. Enrol them again.") % result
        )
    if result["without_face"]:
        sentences.append(gettext("Pictures in which the pack finds no face: %(without_face)d.") % result)
    return tuple(sentences)


def _confusable(count: int, threshold: float | None) -> str:
    if threshold is None:
        return gettext(
            "The pack has no measured thresholds: it would decide nothing, and who may be taken for whom is not known."
        )
    return gettext("Pairs of people who may be taken for each other only with this pack: %(count)d.") % {"count": count}
