from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation import lfw_protocol
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import FoldsNeeded, ImageName, InvalidPairsFile, Pair, PairsFile, ScoredPairs
from recognition.vision.errors import InvalidArray
from recognition.vision.types import BoundingBox, DetectedFace, Landmarks, Size

names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1).filter(
    lambda name: name not in (".", "..")
)
images = st.builds(ImageName, names, st.integers(1, 9999))
mated_pairs = st.tuples(names, st.lists(st.integers(1, 9999), min_size=2, max_size=2, unique=True)).map(
    lambda drawn: Pair(ImageName(drawn[0], drawn[1][0]), ImageName(drawn[0], drawn[1][1]))
)
non_mated_pairs = st.builds(Pair, images, images).filter(lambda pair: not pair.mated)


@st.composite
def pairs_files(draw: st.DrawFn) -> PairsFile:
    folds, pairs = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return PairsFile(
        tuple(
            (
                *draw(st.lists(mated_pairs, min_size=pairs, max_size=pairs)),
                *draw(st.lists(non_mated_pairs, min_size=pairs, max_size=pairs)),
            )
            for _ in range(folds)
        )
    )


def text_of(file: PairsFile) -> str:
    count = len(file.folds[0]) // 2
    header = [str(count)] if len(file.folds) == 1 else [str(len(file.folds)), str(count)]
    lines = [header]
    for pair in file.pairs:
        first, second = pair.first, pair.second
        last = [str(second.number)] if pair.mated else [second.person, str(second.number)]
        lines.append([first.person, str(first.number), *last])
    return "".join("\t".join(line) + "\n" for line in lines)


def scored(*pairs: tuple[float, bool]) -> ScoredPairs:
    return ScoredPairs(
        np.array([pair[0] for pair in pairs], np.float32), np.array([pair[1] for pair in pairs], np.bool_)
    )


# --- pairs files ---


@given(pairs_files())
def test_what_was_written_is_read_again(file: PairsFile) -> None:
    assert lfw_protocol.parse(text_of(file)) == file


@given(pairs_files())
def test_line_ends_of_windows_and_blank_lines_at_the_end_are_no_difference(file: PairsFile) -> None:
    assert lfw_protocol.parse(text_of(file).replace("\n", "\r\n") + "\n\n") == file


@given(pairs_files(), st.data())
def test_a_file_with_a_line_too_few_or_too_many_is_refused(file: PairsFile, data: st.DataObject) -> None:
    lines = text_of(file).splitlines(keepends=True)
    dropped = data.draw(st.integers(1, len(lines) - 1))
    with pytest.raises(InvalidPairsFile, match="line"):
        lfw_protocol.parse("".join(lines[:dropped] + lines[dropped + 1 :]))
    with pytest.raises(InvalidPairsFile, match=f"line {len(lines) + 1}: expected the end"):
        lfw_protocol.parse("".join([*lines, lines[-1]]))


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(InvalidPairsFile):
        assert lfw_protocol.parse(text).pairs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected a whole number from 1, got ''"),
        ("ten", "line 1: expected a whole number from 1, got 'ten'"),
        ("0", "line 1: expected a whole number from 1, got '0'"),
        ("1\t2\t3", "line 1: expected a header of one or two numbers"),
        ("1", "after line 1: expected a mated pair, but the file ends there"),
        ("1\nA\t1", "line 2: expected a mated pair"),
        ("1\nA\t1\tB\t1", "line 2: expected a mated pair"),
        ("1\nA\t1\t1", "line 2: expected a mated pair: a name and two different numbers"),
        ("1\nA\t1\t²", "line 2: expected a whole number from 1"),
        ("1\nA\t1\t-2", "line 2: expected a whole number from 1"),
        ("1\n../A\t1\t2", "line 2: expected a person's folder"),
        ("1\n..\t1\t2", "line 2: expected a person's folder"),
        ("1\n\t1\t2", "line 2: expected a person's folder"),
        ("1\nA\t1\t2\nA\t1\tA\t3", "line 3: expected a non-mated pair"),
        ("1\nA\t1\t2\nA\t1\t3", "line 3: expected a non-mated pair"),
        ("1\nA\t1\t2\nA\t1\tB\t1\nC\t1\t2", "line 4: expected the end of the file"),
    ],
)
def test_a_malformed_line_is_named(text: str, said: str) -> None:
    with pytest.raises(InvalidPairsFile) as refused:
        lfw_protocol.parse(text)
    assert said in str(refused.value)


def test_an_image_lies_in_its_persons_folder() -> None:
    assert ImageName("Abel_Pacheco", 4).path == "Abel_Pacheco/Abel_Pacheco_0004.jpg"


def test_every_image_is_named_once() -> None:
    file = lfw_protocol.parse("1\nA\t1\t2\nA\t1\tB\t1")
    assert file.images() == {ImageName("A", 1), ImageName("A", 2), ImageName("B", 1)}


# --- which face ---


def test_the_face_nearest_the_centre_is_meant() -> None:
    def face(x: float, y: float) -> DetectedFace:
        return DetectedFace(BoundingBox(x, y, x + 20, y + 20), Landmarks(np.zeros((5, 2), np.float32)), 0.9)

    corner, middle = face(0, 0), face(100, 120)
    assert lfw_protocol.central_face([corner, middle], Size(250, 250)) is middle
    assert lfw_protocol.central_face([corner], Size(250, 250)) is corner


# --- thresholds and accuracy ---


def test_no_pairs_choose_no_threshold() -> None:
    with pytest.raises(NoScores):
        lfw_protocol.best_threshold(scored())
    with pytest.raises(NoScores):
        lfw_protocol.share_right(scored(), 0.5)


def test_scores_and_labels_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidArray, match="mated"):
        ScoredPairs(np.zeros(2, np.float32), np.zeros(3, np.bool_))


def test_the_threshold_lies_halfway_between_the_kinds() -> None:
    assert lfw_protocol.best_threshold(scored((0.2, False), (0.6, True))) == pytest.approx(0.4)


def test_a_threshold_for_one_kind_alone_judges_all_of_it_right() -> None:
    for mated in (True, False):
        pairs = scored((0.2, mated), (0.6, mated))
        assert lfw_protocol.share_right(pairs, lfw_protocol.best_threshold(pairs)) == 1.0


@given(st.lists(st.tuples(st.floats(-1, 1, width=16), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_judges_more_pairs_right(pairs: list[tuple[float, bool]]) -> None:
    drawn = scored(*pairs)
    chosen = lfw_protocol.share_right(drawn, lfw_protocol.best_threshold(drawn))
    candidates = [*drawn.similarities.tolist(), 2.0]
    assert chosen == max(lfw_protocol.share_right(drawn, threshold) for threshold in candidates)


def test_a_single_set_is_judged_by_the_threshold_of_the_train_pairs() -> None:
    train = scored((0.2, False), (0.6, True))
    result = lfw_protocol.trained_accuracy(train, scored((0.1, False), (0.5, False), (0.5, True), (0.3, True)))
    assert (result.mean, result.std) == (0.5, 0.0)
    assert result.threshold == pytest.approx(0.4)


def test_each_fold_is_judged_by_the_others() -> None:
    low, high = scored((0.1, False), (0.3, True)), scored((0.5, False), (0.7, True))
    result = lfw_protocol.folded_accuracy([low, high])
    # The low fold is judged at 0.6: its mated pair is missed. The high one at 0.2: its non-mated pair matches.
    assert (result.mean, result.std) == (0.5, 0.0)
    assert result.threshold == pytest.approx(0.4)
    # At 0.125 the first two are judged right, at 0.2 the last one's mated pair is missed.
    uneven = lfw_protocol.folded_accuracy([low, low, scored((0.1, False), (0.15, True))])
    assert uneven.mean == pytest.approx((1 + 1 + 0.5) / 3)
    assert uneven.std == pytest.approx(np.std([1, 1, 0.5]))


def test_one_fold_has_no_others() -> None:
    with pytest.raises(FoldsNeeded):
        lfw_protocol.folded_accuracy([scored((0.1, False), (0.3, True))])
