from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from recognition.decision.policy import LONGEST_DELAY_S, Policy, QualityFault, QualityGates, SampleReason
from tests import fakes

GATES = QualityGates()


class TestGates:
    def test_find_no_fault_with_a_good_view(self) -> None:
        assert GATES.faults(fakes.quality()) == ()

    @pytest.mark.parametrize(
        ("component", "limit", "reason"),
        [
            ("face_size_px", GATES.min_face_size_px, SampleReason.FACE_TOO_SMALL),
            ("visible_fraction", GATES.min_visible_fraction, SampleReason.FACE_CLIPPED),
            ("luminance_mean", GATES.min_luminance, SampleReason.TOO_DARK),
            ("sharpness", GATES.min_sharpness, SampleReason.LOW_SHARPNESS),
            ("detection_score", GATES.min_detection_score, SampleReason.LOW_DETECTION_SCORE),
        ],
    )
    def test_take_exactly_the_minimum_and_nothing_below(
        self, component: str, limit: float, reason: SampleReason
    ) -> None:
        below = math.nextafter(limit, -math.inf)
        assert GATES.faults(fakes.quality(**{component: limit})) == ()
        assert GATES.faults(fakes.quality(**{component: below})) == (QualityFault(reason, below, limit),)

    @pytest.mark.parametrize(
        ("component", "limit", "reason"),
        [
            ("luminance_mean", GATES.max_luminance, SampleReason.TOO_BRIGHT),
            ("yaw_degrees", GATES.max_yaw_degrees, SampleReason.EXTREME_POSE),
            ("pitch_degrees", GATES.max_pitch_degrees, SampleReason.EXTREME_POSE),
        ],
    )
    def test_take_exactly_the_maximum_and_nothing_above(
        self, component: str, limit: float, reason: SampleReason
    ) -> None:
        above = math.nextafter(limit, math.inf)
        assert GATES.faults(fakes.quality(**{component: limit})) == ()
        assert GATES.faults(fakes.quality(**{component: above})) == (QualityFault(reason, above, limit),)

    @pytest.mark.parametrize("component", ["yaw_degrees", "pitch_degrees"])
    def test_take_a_turn_to_either_side_alike(self, component: str) -> None:
        (fault,) = GATES.faults(fakes.quality(**{component: -89}))
        assert (fault.reason, fault.measured) == (SampleReason.EXTREME_POSE, 89)

    @pytest.mark.parametrize("roll", [-180.0, 180.0])
    def test_do_not_mind_a_tilted_head_which_alignment_sets_upright(self, roll: float) -> None:
        assert GATES.faults(fakes.quality(roll_degrees=roll)) == ()

    def test_name_every_fault_with_the_most_helpful_first(self) -> None:
        bad = fakes.quality(
            face_size_px=1,
            visible_fraction=0.1,
            luminance_mean=0.01,
            sharpness=1,
            detection_score=0.1,
            yaw_degrees=80,
        )
        assert [fault.reason.value for fault in GATES.faults(bad)] == [
            "face_too_small",
            "face_clipped",
            "too_dark",
            "low_sharpness",
            "low_detection_score",
            "extreme_pose",
        ]

    @pytest.mark.parametrize(
        "component",
        [
            field.name
            for field in dataclasses.fields(fakes.quality())
            if field.name not in {"roll_degrees", "inter_eye_distance_px", "scores"}
        ],
    )
    def test_find_fault_with_what_is_not_a_number(self, component: str) -> None:
        assert GATES.faults(fakes.quality(**{component: math.nan}))


class TestPolicy:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"identification_threshold": -1.01}, "identification_threshold: expected -1..1, got -1.01"),
            ({"identification_threshold": 1.01}, "identification_threshold"),
            ({"identification_threshold": math.nan}, "identification_threshold"),
            ({"verification_threshold": 1.01}, "verification_threshold"),
            ({"verification_threshold": math.nan}, "verification_threshold"),
            ({"margin": -0.01}, "margin: expected 0..2"),
            ({"margin": 2.01}, "margin"),
            ({"margin": math.nan}, "margin"),
            ({"votes_needed": 0, "votes_of": 0}, "expected a majority, got 0 of 0"),
            ({"votes_needed": 0, "votes_of": 1}, "expected a majority"),
            ({"votes_needed": 2, "votes_of": 4}, "expected a majority, got 2 of 4"),  # two people with two votes each
            ({"votes_needed": 6, "votes_of": 5}, "expected a majority, got 6 of 5"),  # never reached
            ({"timeout_s": 0}, "timeout_s and reembed_interval_s: expected above 0"),
            ({"timeout_s": math.nan}, "timeout_s"),
            ({"reembed_interval_s": -1}, "reembed_interval_s"),
            ({"attempts_before_delay": 0}, "expected at least 1 and below attempts_before_stop, got 0 and 20"),
            ({"attempts_before_delay": 20}, "got 20 and 20"),  # would be stopped before it is delayed
            ({"attempts_before_stop": 5}, "got 5 and 5"),
            ({"first_delay_s": 0}, "first_delay_s and longest_delay_s: expected above 0"),
            ({"first_delay_s": 3601}, "expected above 0, rising"),
            ({"first_delay_s": math.nan}, "first_delay_s"),
            ({"longest_delay_s": math.nan}, "longest_delay_s"),
            ({"longest_delay_s": LONGEST_DELAY_S + 1}, "up to 2592000"),
            ({"longest_delay_s": math.inf}, "up to 2592000"),
        ],
    )
    def test_refuses_numbers_outside_their_range(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Policy(**{"version": 1, "identification_threshold": 0.5, "verification_threshold": 0.4, **change})

    @pytest.mark.parametrize(
        "change",
        [
            {"identification_threshold": -1.0, "verification_threshold": 1.0},
            {"margin": 0.0},
            {"margin": 2.0},
            {"votes_needed": 1, "votes_of": 1},
            {"votes_needed": 3, "votes_of": 4},
            {"votes_needed": 5, "votes_of": 5},
            {"attempts_before_delay": 1, "attempts_before_stop": 2},
            {"first_delay_s": 1e-6, "longest_delay_s": LONGEST_DELAY_S},
            {"first_delay_s": 60, "longest_delay_s": 60},
        ],
    )
    def test_takes_the_ends_of_each_range(self, change: dict[str, Any]) -> None:
        Policy(**{"version": 1, "identification_threshold": 0.5, "verification_threshold": 0.4, **change})
