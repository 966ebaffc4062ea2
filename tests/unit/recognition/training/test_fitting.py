"""What PyTorch computes is what the formulas say; runs where it is installed: `make setup-train`."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch has an environment of its own: make setup-train")
pytest.importorskip("pytorch_metric_learning", reason="it has an environment of its own: make setup-train")

from recognition.training import fitting, triplets  # noqa: E402  # after the check that PyTorch is here
from recognition.training.head import Head  # noqa: E402
from recognition.training.images import Images  # noqa: E402
from recognition.training.triplets import Triplets  # noqa: E402


@pytest.mark.parametrize("seed", range(5))
def test_mining_and_loss_are_those_of_the_formula(seed: int) -> None:
    random = np.random.default_rng(seed)
    raw = random.normal(size=(40, 6))
    vectors = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    people = random.integers(0, 10, 40)
    expected = triplets.semi_hard(vectors, people)
    formula = fitting.Formula()
    anchors, positives, negatives = formula.mined(torch.from_numpy(vectors), torch.from_numpy(people))
    found = Triplets(anchors.numpy(), positives.numpy(), negatives.numpy())

    def as_set(of: Triplets) -> set[tuple[int, ...]]:
        return set(zip(of.anchors.tolist(), of.positives.tolist(), of.negatives.tolist(), strict=True))

    assert len(found) > 10
    assert as_set(found) == as_set(expected)
    loss = formula.loss(torch.from_numpy(vectors), torch.from_numpy(people))
    assert float(loss) == pytest.approx(triplets.loss(vectors, expected), abs=1e-5)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [((0, 60, 180), 0.0), ((0, 60, 62), 1 - 1.06106 + 0.2)],
)
def test_the_loss_of_one_triplet_is_that_computed_by_hand(degrees: tuple[float, ...], expected: float) -> None:
    angles = np.radians(degrees)
    vectors = torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    assert float(fitting.Formula().loss(vectors, torch.tensor([1, 1, 2]))) == pytest.approx(expected, abs=1e-4)


def people_with_noise(seed: int, people: int) -> Images:
    """Each person has a direction in the first four dimensions; the others are noise, which a head can leave out."""
    random = np.random.default_rng(seed)
    own = np.repeat(random.normal(size=(people, 4)), 4, axis=0)
    raw = np.concatenate([own, random.normal(size=(4 * people, 12)) * 0.7], axis=1)
    vectors = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    return Images(vectors, np.repeat(np.arange(people), 4))


def test_noise_is_left_out_of_what_was_learned_and_the_same_seed_learns_the_same() -> None:
    plan = fitting.Plan(learning_rate=1e-3, most_passes=15)
    told: list[float] = []
    stopping = people_with_noise(2, 30)
    found = fitting.fitted(people_with_noise(1, 60), stopping, plan, lambda _number, loss: told.append(loss))
    assert found.best_pass == told.index(min(told)) + 1
    assert min(told) < triplets.mean_loss_of_all(stopping.vectors, stopping.people)
    assert min(told) == pytest.approx(
        triplets.mean_loss_of_all(found.head.projected(stopping.vectors), stopping.people)
    )
    weight = np.abs(found.head.weight).sum(axis=1)
    assert weight[:4].mean() > weight[4:].mean()
    again = fitting.fitted(people_with_noise(1, 60), stopping, plan, lambda *_: None)
    assert np.array_equal(again.head.weight, found.head.weight)


def test_what_only_gets_worse_leaves_everything_unchanged() -> None:
    # Every stopping person is told apart already, so no pass can be better.
    perfect = Images(np.repeat(np.eye(16, dtype=np.float32), 2, axis=0), np.repeat(np.arange(16), 2))
    found = fitting.fitted(people_with_noise(1, 20), perfect, fitting.Plan(patience=2), lambda *_: None)
    assert (found.best_pass, found.passes) == (0, 2)
    assert np.array_equal(found.head.weight, Head.unchanged(16).weight)
