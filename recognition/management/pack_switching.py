"""What `faceweb models use` does where somebody is enrolled: try the pack out, tell, ask, and switch."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db import transaction
from tqdm import tqdm

from recognition import pack_wording
from recognition.jobs import pack_switch
from recognition.management.base import FAILED
from recognition.models import ModelPack, ThresholdPolicy
from recognition.services import pack_switch as switching
from recognition.wiring import LoadedPack


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """How far the command goes.

    Args:
        dry_run: tells what a switch would mean, and ends there.
        asks: whether somebody is asked before the switch.
        force: switches even if people are lost or the pack decides nothing.
        as_json: prints one JSON object at the end, and nothing before it.
    """

    dry_run: bool
    asks: bool
    force: bool
    as_json: bool

    def refuse_to_ask_nobody(self) -> None:
        """Ends the command before minutes of work, where its question could not be answered.

        Raises:
            CommandError: where nobody is there to be asked.
        """
        if self.asks and not self.dry_run and (self.as_json or not sys.stdin.isatty()):
            raise CommandError(
                "People are enrolled, so the switch must be agreed to, and there is nobody to ask. Add --dry-run to "
                "see what it would mean, or --yes to switch.",
                returncode=FAILED,
            )


def tried_and_switched(
    loaded: LoadedPack, stored: ModelPack, wish: Wish, out: OutputWrapper, progress_out: OutputWrapper
) -> tuple[Mapping[str, Any], tuple[ThresholdPolicy, ...]]:
    """Embeds the gallery by the pack, tells what a switch means, and switches where that is agreed to.

    Args:
        loaded: its networks.
        stored: its row.
        wish: how far to go.
        out: gets the report.
        progress_out: gets the progress bar.

    Returns:
        What was found out, and the versions of the policy that a switch made.

    Raises:
        SwitchRefused: when people would be lost or nothing decided, and that was not wished; or the gallery changed.
        CommandError: when the answer is no.
    """
    with tqdm(desc="Trying the pack out", unit="step", file=progress_out, disable=wish.as_json or None) as bar:
        trial = pack_switch.compared_after_embedding(stored, lambda: loaded.pipeline, _Bar(bar), {})
    if not wish.as_json:
        out.write("\n".join(pack_wording.summary(trial)))
    if wish.dry_run:
        return trial, ()
    if not wish.force:
        switching.refuse_losses(pack=stored)
    if wish.asks and input(f"Switch to {stored.name} now? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was switched.", returncode=1)
    made = switching.switch(pack=stored, compared=trial["basis"], actor=None, despite_losses=wish.force)
    return trial, made


class _Bar:
    """The progress of work that no job follows: each step is kept by itself, and a next run goes on after it."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar

    def done(self, done: int, total: int, checkpoint: Mapping[str, Any]) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def store(self, step: Callable[[], None], *, done: int, total: int, checkpoint: Mapping[str, Any]) -> None:
        with transaction.atomic():
            step()
        self.done(done, total, checkpoint)
