"""The job that trains classifiers of the gallery, and says what they are worth beside the other strategies."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recognition import conf
from recognition.decision.policy import Policy
from recognition.evaluation import face_like
from recognition.evaluation.open_set import OperatingPoint
from recognition.jobs import deciding
from recognition.jobs.running import JobFailed, Steps
from recognition.models import Job
from recognition.selectors import classifiers as read
from recognition.selectors import templates
from recognition.selectors.packs import ActivePack
from recognition.services import classifiers
from recognition.training import classifier_trial
from recognition.training import classifiers as learning
from recognition.training.classifiers import CannotLearn, Lesson
from recognition.vision.model_packs import DEFAULT_PACK_NAME

MADE_UP_PEOPLE = 1000
"""People who do not exist, drawn like faces: with them a site where nobody was seen has other people to learn too."""

_SEED = 1
"""Of who is made up: the same gallery gives the same classifiers."""


def train(steps: Steps) -> Mapping[str, Any]:
    """Compares all strategies on held-out samples, then learns the whole gallery and keeps the classifiers.

    A process that takes it over begins anew: what was learned until then is in no checkpoint.

    Raises:
        JobFailed: without a pack that decides, or when the gallery cannot be learned.
    """
    pack, policy = deciding.pack_and_policy()
    # Before the templates: what changes in between then counts as changed since.
    gallery = templates.searched_digest(pack.id)
    lesson = _lesson(pack, policy)
    total = (classifier_trial.FOLDS + 1) * learning.steps(lesson) + 1
    told = _told(steps, total)
    at = OperatingPoint(policy.identification_threshold, policy.margin)
    counted = classifier_trial.cross_validated(lesson, at, threads=conf.worker_threads(), on_step=told)
    trained = (learning.knn(lesson), learning.svm(lesson, threads=conf.worker_threads(), on_step=told))
    actor = Job.objects.get(pk=steps.run.job_id).requested_by

    def store() -> None:
        classifiers.store(
            trained=trained,
            pack=pack,
            gallery=gallery,
            samples=len(lesson.gallery),
            others=len(lesson.others),
            actor=actor,
            now=timezone.now(),
        )

    steps.store(store, done=total, total=total, checkpoint={})
    return {
        "gallery": gallery,
        "pack": pack.id,
        "policy": policy.version,
        "threshold": policy.identification_threshold,
        "margin": policy.margin,
        "people": len(np.unique(lesson.gallery.people)),
        "samples": len(lesson.gallery),
        "seen": lesson.others.seen,
        "made_up": len(lesson.others) - lesson.others.seen,
        "table": {strategy.value: dataclasses.asdict(found) for strategy, found in counted.items()},
    }


def _lesson(pack: ActivePack, policy: Policy) -> Lesson:
    gallery = templates.searched(pack)
    threshold = min(policy.verification_threshold, policy.identification_threshold)
    seen = read.other_people(pack).not_in(gallery, threshold)
    lesson = Lesson(gallery, seen.and_made_up(_made_up(pack)))
    try:
        lesson.require_learnable()
    except CannotLearn as error:
        raise JobFailed(error.code, count=error.count, limit=error.limit) from error
    return lesson


def _made_up(pack: ActivePack) -> NDArray[np.float32]:
    """People who do not exist; for other packs nobody has measured what faces are like."""
    if pack.name != DEFAULT_PACK_NAME:
        return np.empty((0, pack.dimension), np.float32)
    statistics = face_like.load()
    return face_like.generate(statistics, people=MADE_UP_PEOPLE, samples_each=1, probes=0, seed=_SEED).vectors


def _told(steps: Steps, total: int) -> Callable[[], None]:
    done = itertools.count(1)
    return lambda: steps.done(next(done), total, {})
