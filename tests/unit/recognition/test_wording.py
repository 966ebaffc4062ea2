from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recognition import wording
from recognition.decision.doubts import Doubt, DoubtReason
from recognition.decision.matching import Objection
from recognition.decision.policy import QualityFault, QualityGates, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Reason, TransactionReason
from recognition.vision.errors import TooManyBytes, TooManyPixels, UnreadableImage
from tests import fakes

MEASUREMENTS = tuple(fakes.quality().measurements_json())

TABLE = [
    # The measured value is rounded away from the limit: never "48 px, needs 48".
    (QualityFault(SampleReason.FACE_TOO_SMALL, 47.99, 48.0), "47 px, needs 48 px"),
    (QualityFault(SampleReason.FACE_TOO_SMALL, 47.2, 47.5), "47 px, needs 48 px"),
    (QualityFault(SampleReason.EXTREME_POSE, 60.1, 60.0), "61 degrees, at most 60"),
    (QualityFault(SampleReason.TOO_DARK, 0.1199, 0.12), "brightness 0.11, needs 0.12"),
    (QualityFault(SampleReason.TOO_BRIGHT, 0.9201, 0.92), "brightness 0.93, at most 0.92"),
    (QualityFault(SampleReason.LOW_DETECTION_SCORE, 0.6999, 0.7), "0.69, needs 0.70"),
    (QualityFault(SampleReason.LOW_SHARPNESS, 19.9, 20.0), "sharpness 19, needs 20"),
    (QualityFault(SampleReason.FACE_CLIPPED, 0.849, 0.85), "0.84 visible, needs 0.85"),
    (QualityFault(SampleReason.MULTIPLE_FACES, 3, 1), "3 faces"),
    (QualityFault(SampleReason.FACE_TOO_SMALL, math.nextafter(48.0, 0.0), 48.0), "47 px, needs 48 px"),
    (QualityFault(SampleReason.TOO_DARK, math.nextafter(0.12, 0.0), 0.12), "brightness 0.11, needs 0.12"),
    (QualityFault(SampleReason.TOO_BRIGHT, math.nextafter(0.92, 1.0), 0.92), "brightness 0.93, at most 0.92"),
    (QualityFault(SampleReason.TOO_BRIGHT, math.nan, 0.92), "could not be measured"),
]


@pytest.mark.parametrize(("fault", "text"), TABLE)
def test_says_what_was_measured_and_what_is_needed(fault: QualityFault, text: str) -> None:
    assert text in wording.fault_sentence(fault)


MINIMUMS = (
    SampleReason.FACE_TOO_SMALL,
    SampleReason.LOW_DETECTION_SCORE,
    SampleReason.LOW_SHARPNESS,
    SampleReason.TOO_DARK,
    SampleReason.FACE_CLIPPED,
)
MAXIMUMS = (SampleReason.TOO_BRIGHT, SampleReason.EXTREME_POSE)


@st.composite
def near_a_limit(draw: st.DrawFn) -> tuple[float, float]:
    """A limit and a number that is just below or above it, down to the next one that a computer knows."""
    limit = draw(st.floats(0.01, 1000) | st.sampled_from([0.12, 0.7, 0.85, 0.92, 20.0, 45.0, 48.0, 60.0]))
    near = limit + draw(st.floats(-2, 2) | st.floats(-1e-9, 1e-9))
    return limit, draw(st.sampled_from([near, math.nextafter(limit, 0), math.nextafter(limit, 1e4)]))


def shown(sentence: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", sentence)]


@given(near_a_limit(), st.sampled_from(MINIMUMS))
def test_what_is_shown_is_below_the_minimum_that_is_shown(numbers: tuple[float, float], reason: SampleReason) -> None:
    limit, measured = numbers
    assume(measured < limit)
    has, needs = shown(wording.fault_sentence(QualityFault(reason, measured, limit)))
    assert has <= measured < limit <= needs


@given(near_a_limit(), st.sampled_from(MAXIMUMS))
def test_what_is_shown_is_above_the_maximum_that_is_shown(numbers: tuple[float, float], reason: SampleReason) -> None:
    limit, measured = numbers
    assume(measured > limit)
    has, at_most = shown(wording.fault_sentence(QualityFault(reason, measured, limit)))
    assert has >= measured > limit >= at_most


def test_every_gate_of_the_policy_is_tested_for_its_numbers() -> None:
    nothing = QualityGates().faults(fakes.quality(**dict.fromkeys(MEASUREMENTS, math.nan)))
    assert {fault.reason for fault in nothing} == {*MINIMUMS, *MAXIMUMS}
    assert {wording.fault_sentence(fault) for fault in nothing} == {
        "The face could not be measured. Use another photo."
    }


@given(near_a_limit())
def test_two_similarities_that_differ_are_shown_in_their_order(numbers: tuple[float, float]) -> None:
    needs, has = (number / 1000 for number in numbers)
    assume(has != needs)
    texts = wording.compared(has, needs)
    assert (float(texts["has"]) < float(texts["needs"])) == (has < needs)
    assert float(texts["has"]) != float(texts["needs"])


@pytest.mark.parametrize("reason", list(SampleReason))
def test_every_reason_has_a_sentence(reason: SampleReason) -> None:
    sentence = wording.fault_sentence(QualityFault(reason, 0.0, 1.0))

    assert sentence
    assert "%" not in sentence


def test_tells_a_large_file_from_a_damaged_one() -> None:
    assert wording.image_fault(UnreadableImage("")).reason is SampleReason.UNREADABLE
    large = wording.image_fault(TooManyBytes(20 * 2**20 + 1, 20 * 2**20))
    assert wording.fault_sentence(large) == "The file is too large: 20.1 MB, at most 20.0. Save it smaller."
    wide = wording.image_fault(TooManyPixels(6_400 * 6_400, 40_000_000))
    assert wording.fault_sentence(wide) == "The image is too large: 41.0 megapixels, at most 40.0. Save it smaller."


def test_a_size_that_was_not_stored_is_not_shown() -> None:
    stored = QualityFault(SampleReason.IMAGE_TOO_LARGE, 0, 0)
    assert wording.fault_sentence(stored) == "The file is too large. Save it smaller."


@pytest.mark.parametrize("code", [*TransactionReason, *Bar, *SampleReason, *Objection])
@pytest.mark.parametrize("numbers", [(None, None), (0.4, 0.5)])
def test_every_reason_of_a_transaction_has_a_sentence(code: str, numbers: tuple[float | None, float | None]) -> None:
    sentence = wording.reason_sentence(Reason(code, *numbers))
    assert sentence.endswith(".")
    assert "%" not in sentence


REASONS = [
    (Reason(TransactionReason.BELOW_THRESHOLD, 0.412, 0.474), "0.412 is below the threshold 0.474"),
    (Reason(TransactionReason.BELOW_THRESHOLD, 0.4738, 0.474), "0.4738 is below the threshold 0.4740"),
    (Reason(TransactionReason.MARGIN_TOO_SMALL, 0.02, 0.05), "0.020 to the next person is below the 0.050"),
    (Reason(TransactionReason.LOCKED_UNTIL, 5, 29.2), "after 5 failed claims in a row, for another 30 seconds"),
    (Reason(TransactionReason.LOCKED_BY_STOP, 20), "after 20 failed claims in a row, until staff lift it"),
    (Reason(TransactionReason.VOTES_DISAGREE, 2, 3), "2 of 3"),
    (Reason(SampleReason.TOO_DARK, 0.1199, 0.12), "brightness 0.11, needs 0.12"),
    (Reason(Bar.SUSPENDED), "is suspended"),
    (Reason(Objection.NOT_LEARNED), "has not learned this person yet"),
]


@pytest.mark.parametrize(("reason", "text"), REASONS)
def test_says_why_a_transaction_ended_so(reason: Reason, text: str) -> None:
    assert text in wording.reason_sentence(reason)


@pytest.mark.parametrize("reason", DoubtReason)
def test_every_doubt_has_a_sentence_with_both_numbers_and_a_label(reason: DoubtReason) -> None:
    doubt = Doubt(reason, similarity=0.41962, limit=0.4196, sample_id=1, person_id=2)
    sentence = wording.doubt_sentence(doubt, person="Bob", other="Ada")
    assert "0.41962" in sentence
    assert "0.41960" in sentence
    assert wording.doubt_label(reason)


def test_whom_a_face_is_like_is_not_named_where_they_must_not_be() -> None:
    doubt = Doubt(DoubtReason.IDENTITY_CONFLICT, similarity=0.7, limit=0.5, sample_id=1, person_id=2)
    assert "like somebody else, more than like Bob" in wording.doubt_sentence(doubt, person="Bob", other=None)
