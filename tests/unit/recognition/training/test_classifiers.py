from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.decision.classifiers import MADE_UP, OTHER_PEOPLE
from recognition.decision.matching import Strategy
from recognition.decision.other_people import OtherPeople
from recognition.evaluation.open_set import OperatingPoint
from recognition.training import classifier_trial, classifiers
from recognition.training.classifier_trial import Counted
from recognition.training.classifiers import CannotLearn, Lesson
from recognition.vision.templates import Templates

DIMENSION = 64
AT = OperatingPoint(threshold=0.5, margin=0.05)
SPREAD = 0.05
"""Of a person's samples around them: two of one person have a similarity of about 0.86."""


def drawn(people: int, samples_each: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Faces of people who are nothing like each other."""
    centres = random.standard_normal((people, DIMENSION))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = np.repeat(centres, samples_each, axis=0)
    vectors += SPREAD * random.standard_normal(vectors.shape)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def lesson(people: int = 6, samples_each: int = 3, others: int = 30, seed: int = 0) -> Lesson:
    """People from 1, their samples from 100, and as many other people as unknown faces from 500."""
    random = np.random.default_rng(seed)
    rows = people * samples_each
    gallery = Templates(
        np.arange(100, 100 + rows),
        np.repeat(np.arange(1, people + 1), samples_each),
        drawn(people, samples_each, random).reshape(rows, DIMENSION),
    )
    numbers = np.arange(500, 500 + others)
    strangers = drawn(others, 1, random).reshape(others, DIMENSION)
    return Lesson(gallery, OtherPeople(strangers, numbers, numbers, np.zeros(others, np.bool_)))


def nothing() -> None:
    """After a step."""


@pytest.mark.parametrize(
    ("changes", "code", "count"),
    [
        ({"people": 0}, classifiers.NOBODY, 0),
        ({"people": 7}, classifiers.TOO_MANY_PEOPLE, 7),
        ({"samples_each": 4}, classifiers.TOO_MANY_SAMPLES, 24),
        ({"others": 19}, classifiers.TOO_FEW_OTHERS, 19),
    ],
)
def test_what_cannot_be_learned_is_refused_with_its_numbers(
    changes: dict[str, int], code: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifiers, "MOST_PEOPLE", 6)
    monkeypatch.setattr(classifiers, "MOST_SAMPLES", 18)
    lesson().require_learnable()
    with pytest.raises(CannotLearn) as refused:
        lesson(**changes).require_learnable()
    assert (refused.value.code, refused.value.count) == (code, count)


def test_nearest_neighbours_keep_every_face_with_where_it_came_from() -> None:
    learned = classifiers.knn(lesson(people=2, samples_each=1, others=2))
    assert learned.people.tolist() == [1, 2, OTHER_PEOPLE, OTHER_PEOPLE]
    assert learned.sources.tolist() == [100, 101, 500, 501]


class TestSvm:
    def test_has_a_machine_for_each_person_that_knows_them_again(self) -> None:
        taught = lesson()
        learned = classifiers.svm(taught, threads=2, on_step=nothing)
        assert learned.people.tolist() == [OTHER_PEOPLE, 1, 2, 3, 4, 5, 6]
        said = np.append(OTHER_PEOPLE, learned.learned)[learned.scores(taught.gallery.vectors).argmax(axis=1)]
        assert said.tolist() == taught.gallery.people.tolist()

    def test_is_the_same_however_many_threads_learn_it(self) -> None:
        one, two = (classifiers.svm(lesson(), threads=threads, on_step=nothing) for threads in (1, 2))
        np.testing.assert_array_equal(one.weights, two.weights)

    def test_says_after_each_step_that_it_is_done_and_can_be_ended_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(classifiers, "CLASSES_A_STEP", 3)
        told: list[int] = []
        classifiers.svm(lesson(), threads=1, on_step=lambda: told.append(1))
        assert len(told) == classifiers.steps(lesson()) == 3

        def enough() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            classifiers.svm(lesson(), threads=1, on_step=enough)


def counted(taught: Lesson, on_step: Callable[[], None] = nothing) -> dict[Strategy, Counted]:
    return dict(classifier_trial.cross_validated(taught, AT, threads=1, on_step=on_step))


class TestCrossValidation:
    def test_searches_for_every_sample_and_every_other_face_once_by_every_strategy(self) -> None:
        told: list[int] = []
        found = counted(lesson(), lambda: told.append(1))
        assert list(found) == list(Strategy)
        assert {(each.mated, each.non_mated) for each in found.values()} == {(18, 30)}
        # Faces that are nothing like each other are easy.
        assert {(each.first, each.missed, each.named) for each in found.values()} == {(18, 0, 0)}
        assert len(told) == classifier_trial.FOLDS * classifiers.steps(lesson())

    def test_people_with_one_sample_are_enrolled_and_not_searched_for(self) -> None:
        assert {each.mated for each in counted(lesson(samples_each=1)).values()} == {0}

    def test_of_two_samples_each_is_held_out_once(self) -> None:
        assert {each.mated for each in counted(lesson(samples_each=2)).values()} == {12}

    def test_who_looks_like_somebody_is_named_unless_the_classifier_has_learned_such_people(self) -> None:
        taught = lesson(samples_each=2)
        # Doubles of the first person, who are many: two thirds of them are learned, a third is searched for.
        doubles = np.repeat(taught.gallery.vectors[:1], 30, axis=0)
        doubles += 0.08 * np.random.default_rng(1).standard_normal(doubles.shape).astype(np.float32)
        doubles /= np.linalg.norm(doubles, axis=1, keepdims=True)
        others = taught.others.and_made_up(doubles)
        found = counted(Lesson(taught.gallery, others))
        assert found[Strategy.NEAREST].named == 30
        assert found[Strategy.KNN_CLASSIFIER].named < 3
        assert found[Strategy.SVM_CLASSIFIER].named < 30

    def test_all_faces_of_one_of_the_others_are_held_out_together(self) -> None:
        taught = lesson(people=2, samples_each=2)
        random = np.random.default_rng(2)
        # One stranger, who is seen ten times and looks like the first person: whoever has learned them would know.
        double = np.repeat(taught.gallery.vectors[:1], 10, axis=0)
        double += 0.01 * random.standard_normal(double.shape).astype(np.float32)
        double /= np.linalg.norm(double, axis=1, keepdims=True)
        others = taught.others
        with_them = OtherPeople(
            np.concatenate([others.vectors, double]),
            np.concatenate([others.sources, np.full(10, MADE_UP)]),
            np.concatenate([others.groups, np.full(10, 9000)]),
            np.concatenate([others.told, np.zeros(10, np.bool_)]),
        )
        assert counted(Lesson(taught.gallery, with_them))[Strategy.KNN_CLASSIFIER].named == 10

    def test_counts_add_up(self) -> None:
        assert Counted(1, 2, 3, 4, 5) + Counted(10, 20, 30, 40, 50) == Counted(11, 22, 33, 44, 55)
