"""What jobs processes do by themselves every few minutes."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator

from django.utils import timezone

from faceweb import signing, state
from recognition import conf
from recognition.jobs import videos as video_jobs
from recognition.models import AnchorPlace
from recognition.services import anchors, choosing, classifiers, import_batches, retention, videos

logger = logging.getLogger(__name__)

SCHEDULE = "*/5 * * * *"
"""As cron has it. What is over is neither shown nor taken from its last second on; it is gone within five minutes."""

FORGET_EXPIRED = "faceweb.forget_expired"
"""What the queue calls it; also its lock there, so that one waits at most, however long another job takes."""


def forget_expired(timestamp: int) -> None:
    """Removes photos and uploads that waited too long, and results and videos that were kept long enough.

    Args:
        timestamp: when it was due, in seconds since 1970; what counts is the time when it is done.
    """
    now = timezone.now()
    photos, batches = choosing.forget_expired(now=now), import_batches.forget_expired(now=now)
    watched = videos.forget_expired(now=now)
    video_jobs.clear_left()
    if photos or batches or watched:
        logger.info("%d waiting photos, %d imports and %d videos were over and are removed", photos, batches, watched)


ANCHOR_SCHEDULE = "7 * * * *"
"""Every hour: who changes the chain has as long to do so unseen."""

ANCHOR = "faceweb.anchor_sealed_log"


def anchor_sealed_log(timestamp: int) -> None:
    """Keeps the head of the sealed log where the settings say.

    What goes wrong is logged, shown on the dashboard, and tried in an hour again.

    Args:
        timestamp: when it was due, in seconds since 1970.
    """
    head = anchors.head(now=timezone.now())
    if head is None:
        return
    with _noted(AnchorPlace.Code.FILE, head.at):
        if anchors.keep(path=conf.anchor_file(), anchor=head, key=signing.key()):
            logger.info("the sealed log is anchored at row %d", head.position)
    if not conf.anchor_url():
        anchors.give_up(place=AnchorPlace.Code.ADDRESS)
        return
    with _noted(AnchorPlace.Code.ADDRESS, head.at):  # also where the head is not new: nobody knows whether it was taken
        anchors.send(url=conf.anchor_url(), anchor=head, key=signing.key())


@contextlib.contextmanager
def _noted(place: AnchorPlace.Code, now: dt.datetime) -> Iterator[None]:
    try:
        yield
    except (anchors.AnchorRefused, state.StateError) as error:
        logger.error("%s", error)
        anchors.note(place=place, now=now, problem=getattr(error, "reason", "") or str(error))
    else:
        anchors.note(place=place, now=now)


RETENTION_SCHEDULE = "23 * * * *"
"""Every hour a part, so that no run takes long."""

APPLY_RETENTION = "faceweb.apply_retention"


def apply_retention(timestamp: int) -> None:
    """Removes events and pictures that were kept long enough.

    Args:
        timestamp: when it was due, in seconds since 1970; what counts is the time when it is done.
    """
    removed = retention.apply(now=timezone.now())
    if removed.events or removed.crops:
        logger.info("%d events and %d pictures were kept long enough and are removed", removed.events, removed.crops)


TRAIN_AGAIN = "faceweb.train_again"


def train_again(timestamp: int) -> None:
    """Has the classifiers trained that a policy asks and that have not learned the gallery of now.

    Every few minutes and not at each change: somebody who enrols changes the gallery again and again.

    Args:
        timestamp: when it was due, in seconds since 1970.
    """
    if (job := classifiers.train_again_if_outdated()) is not None:
        logger.info("the gallery changed: classifiers are trained again by job %d", job.pk)
