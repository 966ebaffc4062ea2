from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.decision import classifiers, matching, verdict
from recognition.decision.classifiers import OTHER_PEOPLE, KnnClassifier, Left, SvmClassifier
from recognition.decision.matching import Candidate, CandidateList, Objection, Strategy
from recognition.decision.policy import Policy
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.vision.errors import InvalidArray
from tests import fakes

AXES = np.eye(4, dtype=np.float32)


def numbers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def knn(*rows: tuple[NDArray[np.float32], int], sources: tuple[int, ...] | None = None) -> KnnClassifier:
    vectors = np.stack([vector for vector, _ in rows]) if rows else np.empty((0, 4), np.float32)
    return KnnClassifier(vectors, numbers(*(person for _, person in rows)), numbers(*(sources or range(len(rows)))))


def svm(*people: int) -> SvmClassifier:
    """Each person's machine says yes along an axis of its own, that of the other people along the first."""
    return SvmClassifier(AXES[: 1 + len(people)], np.zeros(1 + len(people), np.float32), numbers(OTHER_PEOPLE, *people))


class TestKnn:
    def test_knows_nobody_where_it_has_nothing(self) -> None:
        empty = knn()
        assert (empty.learned.tolist(), empty.size) == ([], 0)
        assert empty.scores(AXES[:2]).tolist() == [[-np.inf], [-np.inf]]
        assert classifiers.choose(empty, AXES[:1], np.empty((1, 0), np.bool_)).tolist() == [OTHER_PEOPLE]

    def test_the_nearest_faces_vote_by_how_near_they_are(self) -> None:
        one = knn((AXES[0], 7), (AXES[1], OTHER_PEOPLE), (AXES[2], OTHER_PEOPLE), (AXES[3], 9))
        assert one.learned.tolist() == [7, 9]
        scores = one.scores(AXES[:1])[0]
        # Three others are farther by a similarity of 1, which is 20 times the softness.
        assert scores == pytest.approx([2 * np.exp(-20), 1.0, np.exp(-20)])

    def test_only_the_nearest_ones_have_a_vote(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(classifiers, "NEIGHBOURS", 1)
        one = knn((AXES[0], 7), (AXES[1], OTHER_PEOPLE))
        assert one.scores(AXES[:2]).tolist() == [[-np.inf, 1.0], [1.0, -np.inf]]

    @pytest.mark.parametrize(
        ("vectors", "people", "sources", "text"),
        [
            (2 * AXES, numbers(1, 2, 3, 4), numbers(1, 2, 3, 4), "rows of length 1"),
            (np.full((1, 4), np.nan, np.float32), numbers(1), numbers(1), "rows of length 1"),
            (AXES, numbers(1, 2, 3, -4), numbers(1, 2, 3, 4), "no number below 0"),
            (AXES, numbers(1, 2, 3), numbers(1, 2, 3, 4), "people: expected"),
            (AXES.astype(np.float64), numbers(1, 2, 3, 4), numbers(1, 2, 3, 4), "float32, got"),
        ],
    )
    def test_refuses_what_is_no_gallery(
        self, vectors: NDArray[np.float32], people: NDArray[np.int64], sources: NDArray[np.int64], text: str
    ) -> None:
        with pytest.raises((ValueError, InvalidArray), match=text):
            KnnClassifier(vectors, people, sources)

    def test_faces_go_with_what_they_came_from(self) -> None:
        one = knn(
            (AXES[0], 7),
            (AXES[1], 7),
            (AXES[2], 8),
            (AXES[0], OTHER_PEOPLE),
            (AXES[1], OTHER_PEOPLE),
            (AXES[2], OTHER_PEOPLE),
            sources=(70, 71, 80, 70, 5, classifiers.MADE_UP),
        )
        left = Left(people=numbers(7), samples=numbers(71), faces=numbers(5))
        kept = one.keeping(left)
        assert kept.people.tolist() == [7, OTHER_PEOPLE, OTHER_PEOPLE]
        assert kept.sources.tolist() == [71, 5, classifiers.MADE_UP]
        assert (kept.vectors == AXES[[1, 1, 2]]).all()
        assert one.keeping(Left(numbers(), numbers(), numbers())).learned.tolist() == []


class TestSvm:
    def test_each_machine_says_how_far_a_face_is_on_its_side(self) -> None:
        one = SvmClassifier(AXES[:2], np.array([0.5, -0.5], np.float32), numbers(OTHER_PEOPLE, 7))
        assert one.scores(AXES[:2]).tolist() == [[1.5, -0.5], [0.5, 0.5]]

    @pytest.mark.parametrize(
        ("weights", "biases", "people", "text"),
        [
            (np.empty((0, 4), np.float32), np.empty(0, np.float32), numbers(), "begin with 0"),
            (AXES[:2], np.zeros(2, np.float32), numbers(1, 2), "begin with 0"),
            (AXES[:3], np.zeros(3, np.float32), numbers(0, 2, 2), "rising"),
            (AXES[:1], np.array([np.nan], np.float32), numbers(0), "finite"),
            (np.full((1, 4), np.inf, np.float32), np.zeros(1, np.float32), numbers(0), "finite"),
            (AXES[:1], np.zeros(2, np.float32), numbers(0), "biases: expected"),
        ],
    )
    def test_refuses_what_is_no_set_of_machines(
        self, weights: NDArray[np.float32], biases: NDArray[np.float32], people: NDArray[np.int64], text: str
    ) -> None:
        with pytest.raises((ValueError, InvalidArray), match=text):
            SvmClassifier(weights, biases, people)

    def test_the_machine_of_a_person_goes_with_them(self) -> None:
        kept = svm(7, 8).keeping(Left(people=numbers(8), samples=numbers(), faces=numbers()))
        assert kept.people.tolist() == [OTHER_PEOPLE, 8]
        assert (kept.weights == AXES[[0, 2]]).all()


class TestChoice:
    @pytest.mark.parametrize(
        ("probe", "may_be", "chosen"),
        [
            ([0, 1, 0, 0], [True, True], 7),
            ([0, 0.6, 0.8, 0], [True, True], 8),
            ([0, 0.6, 0.8, 0], [True, False], 7),  # of those that the search found
            ([0, 0.6, 0.8, 0], [False, False], OTHER_PEOPLE),
            ([0.8, 0.6, 0, 0], [True, True], OTHER_PEOPLE),
            ([0, 0, 0, 1], [True, True], OTHER_PEOPLE),  # nobody says more than the others
            ([np.nan, 0, 0, 0], [True, True], OTHER_PEOPLE),
        ],
    )
    def test_is_of_those_who_may_be_or_of_the_other_people(
        self, probe: list[float], may_be: list[bool], chosen: int
    ) -> None:
        probes, allowed = np.array([probe], np.float32), np.array([may_be])
        assert classifiers.choose(svm(7, 8), probes, allowed).tolist() == [chosen]


def found(*similarities: float) -> CandidateList:
    return fakes.candidates(*similarities, first_person=7)


class TestObjection:
    @pytest.mark.parametrize(
        ("candidates", "probe", "expected"),
        [
            (found(), AXES[0], None),  # nobody was found, so there is nobody to object to
            (found(0.9, 0.1), AXES[1], None),
            (found(0.9, 0.1), AXES[0], Objection.OTHER_PEOPLE),
            (found(0.9, 0.8), AXES[2], Objection.ANOTHER_PERSON),
            (found(0.9, 0.1), AXES[2], Objection.OTHER_PEOPLE),  # the other one is not similar enough to be chosen
            (found(0.3, 0.1), AXES[1], None),  # of no use now, but of a lower threshold
            (found(0.3, 0.1), AXES[0], Objection.OTHER_PEOPLE),
            (fakes.candidates(0.9, first_person=9), AXES[1], Objection.NOT_LEARNED),
        ],
    )
    def test_is_made_of_what_the_classifier_chooses(
        self, candidates: CandidateList, probe: NDArray[np.float32], expected: Objection | None
    ) -> None:
        assert classifiers.objection(candidates, svm(7, 8), probe, least_similarity=0.5) is expected

    def test_is_that_there_is_no_classifier(self) -> None:
        assert classifiers.objection(found(0.9), None, AXES[1], least_similarity=0.5) is Objection.NO_CLASSIFIER
        assert classifiers.objection(found(), None, AXES[1], least_similarity=0.5) is None


@dataclasses.dataclass(frozen=True)
class Anything:
    """A classifier that says whatever it is told to."""

    strategy: ClassVar[Strategy] = SvmClassifier.strategy

    learned: NDArray[np.int64]
    said: NDArray[np.float32]
    size: int = 0

    def scores(self, probes: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.said[None]

    def keeping(self, left: Left) -> Self:
        return self


@st.composite
def anything(draw: st.DrawFn) -> Anything | None:
    people = sorted(draw(st.sets(st.integers(1, 5))))
    said = draw(st.lists(st.floats(width=32), min_size=1 + len(people), max_size=1 + len(people)))
    return draw(st.sampled_from([None, Anything(numbers(*people), np.array(said, np.float32))]))


hits = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 5),
        st.just(""),
        st.integers(1, 20),
        st.floats(-1, 1),
        st.none() | st.sampled_from(list(Bar)),
    ),
    max_size=12,
)


@given(hits, anything(), st.floats(-1, 1), st.floats(0, 2))
def test_whatever_a_classifier_says_nobody_is_accepted_whom_the_nearest_sample_would_not_be(
    found: list[Candidate], classifier: Anything | None, threshold: float, margin: float
) -> None:
    policy = Policy(version=1, identification_threshold=threshold, verification_threshold=0.4, margin=margin)
    nearest = matching.nearest_sample(found)
    objected = classifiers.objection(nearest, classifier, AXES[0], least_similarity=threshold)
    said = verdict.judge(dataclasses.replace(nearest, objection=objected), policy)
    alone = verdict.judge(nearest, policy)
    if said.decision is Decision.ACCEPT:
        assert said.best is not None
        assert classifier is not None
        assert (said.decision, said.best) == (alone.decision, alone.best)
        assert said.best.similarity >= threshold
        assert said.margin is None or said.margin >= margin
        assert said.best.person_id in classifier.learned
    # And it never lets anybody of the deny list be taken for a stranger.
    assert said.is_deny_list_hit is alone.is_deny_list_hit
