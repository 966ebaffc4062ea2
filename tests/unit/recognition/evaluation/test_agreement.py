from __future__ import annotations

import math

import pytest

from recognition.evaluation.agreement import agreement


def test_of_nothing_there_is_no_agreement() -> None:
    nothing = agreement([], [])
    assert (nothing.count, nothing.agreed, nothing.share, nothing.kappa) == (0, 0, None, None)


def test_two_who_always_say_one_thing_agree_and_nobody_knows_how_much_is_chance() -> None:
    same = agreement(["true_match"] * 3, ["true_match"] * 3)
    assert (same.share, same.kappa) == (1.0, None)


@pytest.mark.parametrize(
    ("counts", "share", "kappa"),
    [
        # First and second reader: both yes, yes/no, no/yes, both no. By hand:
        # 50 grant proposals: p_o = 35/50, p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa = 0.2 / 0.5
        ((20, 5, 10, 15), 0.7, 0.4),
        # p_o = 1, p_e = 0.25 + 0.25
        ((5, 0, 0, 5), 1.0, 1.0),
        # both are a half
        ((1, 1, 1, 1), 0.5, 0.0),
        # p_o = 0, p_e = 0.5
        ((0, 3, 3, 0), 0.0, -1.0),
        # the paradox of rare answers: p_o = 0.9, p_e = 0.95 * 0.95 + 0.05 * 0.05 = 0.905
        ((18, 1, 1, 0), 0.9, -0.005 / 0.095),
    ],
)
def test_kappa_is_what_is_computed_by_hand(counts: tuple[int, ...], share: float, kappa: float) -> None:
    both, first_only, second_only, neither = counts
    first = ["yes"] * (both + first_only) + ["no"] * (second_only + neither)
    second = ["yes"] * both + ["no"] * first_only + ["yes"] * second_only + ["no"] * neither
    found = agreement(first, second)
    assert found.share == share
    assert found.kappa is not None
    assert math.isclose(found.kappa, kappa, abs_tol=1e-12)


def test_three_answers_are_compared_like_two() -> None:
    found = agreement(list("aabbcc"), list("abbbcb"))
    # a: 2 and 1, b: 2 and 4, c: 2 and 1; p_e = (2 + 8 + 2) / 36 = 1/3; p_o = 4/6
    assert found.kappa == pytest.approx(0.5)


def test_answers_of_different_things_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 answers"):
        agreement(["a", "b"], ["a"])
