"""What classifiers are worth on labelled images: a part of `faceweb evaluate packs`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import numpy as np

from recognition import conf
from recognition.decision.matching import Strategy
from recognition.decision.other_people import OtherPeople
from recognition.evaluation import open_set
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import Embeddings, OperatingPoint, Rates
from recognition.training import classifier_trial
from recognition.training.classifier_trial import Counted
from recognition.training.classifiers import NOBODY, CannotLearn, Lesson
from recognition.vision.templates import Templates


def rates(
    embeddings: Embeddings, images: Sequence[ImageName], *, gallery_size: int, seeds: int, at: OperatingPoint
) -> dict[Strategy, Rates]:
    """Compares every strategy by the trial of the training job, on several random galleries together.

    Args:
        embeddings: the images in which a face was found, all of one model pack; others are left out.
        images: of the whole data set.
        gallery_size: people to enrol, as `open_set.split` chooses them.
        seeds: how many galleries.
        at: threshold and margin in force.

    Raises:
        TooFewPeople: see `open_set.split`.
        CannotLearn: when a gallery has nobody, or nobody with two faces, is too large, or leaves too few other people.
    """
    counted = [
        classifier_trial.cross_validated(
            _lesson(embeddings, images, gallery_size, seed), at, threads=conf.worker_threads(), on_step=_on_step
        )
        for seed in range(seeds)
    ]
    if not sum(each[Strategy.NEAREST].mated for each in counted):
        raise CannotLearn(NOBODY, 0, 1)
    return {
        strategy: _shares(functools.reduce(operator.add, (each[strategy] for each in counted))) for strategy in Strategy
    }


def _lesson(embeddings: Embeddings, images: Sequence[ImageName], gallery_size: int, seed: int) -> Lesson:
    """Some people are enrolled with all their images; of everybody else a classifier may learn the first one."""
    chosen = open_set.split(images, gallery_size=gallery_size, seed=seed)
    people = {image.person: number for number, (image,) in enumerate(chosen.references, 1)}
    enrolled = sorted(
        (image for image in {*(first for (first,) in chosen.references), *chosen.mated} if image in embeddings),
        key=lambda image: (people[image.person], image),
    )
    strangers = [image for image in chosen.non_mated if image in embeddings]
    numbers = np.arange(len(strangers), dtype=np.int64)
    lesson = Lesson(
        Templates(
            np.arange(len(enrolled), dtype=np.int64),
            np.array([people[image.person] for image in enrolled], np.int64),
            np.array([embeddings[image].vector for image in enrolled], np.float32),
        ),
        OtherPeople(
            np.array([embeddings[image].vector for image in strangers], np.float32),
            numbers,
            numbers,
            np.zeros(len(strangers), np.bool_),
        ),
    )
    lesson.require_learnable()
    return lesson


def _shares(counted: Counted) -> Rates:
    return Rates(
        fpir=counted.named / counted.non_mated,
        fnir=counted.missed / counted.mated,
        rank1=counted.first / counted.mated,
    )


def _on_step() -> None:
    """Nobody waits for a page here, and an interrupt ends the process."""
