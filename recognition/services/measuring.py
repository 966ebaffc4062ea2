"""How a model pack gets its thresholds, and what is said where it has none and needs some."""

from __future__ import annotations

import shlex

from django.utils.translation import gettext

from recognition.models import ModelPack


def command(*, pack: ModelPack) -> str:
    """What measures the thresholds of a pack and keeps them."""
    place = shlex.quote(pack.location or pack.name)
    return f"faceweb evaluate pairs --images DIR --pairs FILE --all-pairs --pack {place} --record"


def sentence(*, pack: ModelPack) -> str:
    """Why an embedder that somebody brought along is of no use yet, and what to do."""
    return gettext("The embedder %(pack)s was brought along and never measured here. Measure it first: %(command)s") % {
        "pack": pack.name,
        "command": command(pack=pack),
    }
