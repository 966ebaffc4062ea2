"""Keeps trained classifiers, removes from them what is gone, and has them trained again when the gallery changed.

Who stores and who removes does so one after the other, in all processes: what is erased while a classifier is being
trained is not in it when it is stored.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import connection, transaction

from recognition.decision import classifier_files
from recognition.decision.classifier_files import DamagedClassifier, Trained
from recognition.decision.classifiers import Left
from recognition.models import AuditAction, Job, TrainedClassifier
from recognition.selectors import classifiers as read
from recognition.selectors import packs, templates
from recognition.selectors.packs import ActivePack, NoActivePack
from recognition.services import audit, jobs
from recognition.services.jobs import JobRefused
from recognition.vision.errors import PackMismatch

_LOCK = 5_412_093_318_720_417
"""Key of the advisory lock under which classifiers change; any constant of ours will do."""


@transaction.atomic
def store(
    *,
    trained: Sequence[Trained],
    pack: ActivePack,
    gallery: str,
    samples: int,
    others: int,
    actor: User | None,
    now: dt.datetime,
) -> None:
    """Keeps classifiers in place of those that were there, without what went while they were trained.

    Args:
        trained: one of each kind.
        pack: whose vectors they are of, with its policy.
        gallery: digest of what was learned; see `selectors.templates.searched_digest`.
        samples: of enrolled people that were learned.
        others: faces of other people that were learned.
        actor: who asked for it.
        now: with a time zone.

    Raises:
        ValueError: for a pack without a policy.
    """
    if pack.policy is None:
        raise ValueError("store: expected a pack that decides")
    _hold_off_others()
    left = read.left()
    for classifier in trained:
        kept = classifier.keeping(left)
        values = {
            **_data(kept, pack.digest),
            "gallery": gallery,
            "policy_version": pack.policy.version,
            "people": len(kept.learned),
            "samples": samples,
            "others": others,
            "trained_by": actor,
            "trained_at": now,
        }
        row, _ = TrainedClassifier.objects.update_or_create(
            pack_id=pack.id, kind=classifier.strategy.value, defaults=values
        )
        details = {"kind": row.kind, "pack": pack.digest, "gallery": gallery, "policy": pack.policy.version}
        audit.record(action=AuditAction.CLASSIFIER_TRAINED, actor=actor, subject=row, details=details)


@transaction.atomic
def remove_what_is_gone(*, actor: User | None) -> int:
    """Removes from every classifier what was made of samples, people or unknown faces that are no longer there.

    Of k nearest neighbours each such face goes, of support vector machines that of each such person; what is left of
    them in the other machines goes with the training that is asked for here. A damaged classifier goes as a whole.

    Returns:
        How many faces and machines were removed.
    """
    if not TrainedClassifier.objects.exists():
        return 0
    _hold_off_others()
    left, removed = read.left(), 0
    for row in TrainedClassifier.objects.select_related("pack").order_by("pk"):
        removed += _prune(row, left, actor)
    if removed:
        with contextlib.suppress(JobRefused):
            ask_for_training(actor=actor)
    return removed


def _prune(row: TrainedClassifier, left: Left, actor: User | None) -> int:
    try:
        classifier = classifier_files.loaded(bytes(row.data), pack_digest=row.pack.digest)
    except (DamagedClassifier, PackMismatch):
        gone = row.people + row.others
        audit.record(action=AuditAction.CLASSIFIER_PRUNED, actor=actor, subject=row, details={"removed": "all"})
        row.delete()
        return gone
    kept = classifier.keeping(left)
    gone = classifier.size - kept.size
    if gone:
        values = {**_data(kept, row.pack.digest), "people": len(kept.learned)}
        TrainedClassifier.objects.filter(pk=row.pk).update(**values)
        audit.record(action=AuditAction.CLASSIFIER_PRUNED, actor=actor, subject=row, details={"removed": gone})
    return gone


def train_again_if_outdated() -> Job | None:
    """Asks for a training where a policy asks a classifier that has not learned the gallery of now.

    A gallery for which a training was asked already is left until it changes, however that training ended.

    Returns:
        The job that was asked for; None where there is nothing to do, or one waits or runs already.
    """
    try:
        pack = packs.active()
    except NoActivePack:
        return None
    needed = [kind.value for kind in read.asked_for(pack.id, or_approved=True)]
    gallery, newest = templates.searched_digest(pack.id), read.newest_job()
    learned = TrainedClassifier.objects.filter(pack=pack.id, kind__in=needed)
    is_asked = newest is not None and newest.parameters.get("gallery") == gallery
    if is_asked or not learned.exclude(gallery=gallery).exists():
        return None
    with contextlib.suppress(JobRefused):
        return ask_for_training(actor=None)
    return None


@transaction.atomic
def ask_for_training(*, actor: User | None) -> Job:
    """Asks for all kinds of classifiers of the gallery of now.

    Args:
        actor: who wants it; None for the command line, and where it is done by itself.

    Raises:
        JobRefused: when such a job waits or runs already.
    """
    return jobs.request(kind=Job.Kind.CLASSIFIERS, parameters={"gallery": _gallery_now()}, actor=actor)


def _gallery_now() -> str:
    """Of the pack in use; empty without one."""
    try:
        return templates.searched_digest(packs.active().id)
    except NoActivePack:
        return ""


def _data(classifier: Trained, pack_digest: str) -> dict[str, object]:
    data = classifier_files.dumped(classifier, pack_digest=pack_digest)
    return {"data": data, "sha256": hashlib.sha256(data).hexdigest()}


def _hold_off_others() -> None:
    """Lets nobody else change classifiers until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
