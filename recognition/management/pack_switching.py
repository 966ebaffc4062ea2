"""What `faceweb models use` does where somebody is enrolled: try the pack out, tell, ask, and switch."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from tqdm import tqdm

from recognition import pack_wording
from recognition.jobs import pack_switch
from recognition.management import following
from recognition.management.base import FAILED
from recognition.models import Job, ModelPack, ThresholdPolicy
from recognition.services import jobs
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
    """Has the gallery embedded by a job, tells what a switch means, and switches where that is agreed to.

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
        jobs.JobRefused: when another pack is tried out now.
        CommandError: when the answer is no, or the job failed or was cancelled.
    """
    job = jobs.requested(kind=Job.Kind.PACK_SWITCH, parameters={"pack": stored.pk}, actor=None)
    work = functools.partial(pack_switch.compared_after_embedding, stored, lambda: loaded.pipeline)
    with tqdm(desc="Trying the pack out", unit="step", file=progress_out, disable=wish.as_json or None) as bar:
        trial = following.to_its_end(job, work, bar)
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
