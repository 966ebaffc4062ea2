from __future__ import annotations

import pytest

from recognition import search_wording
from recognition.selectors.search_recall import Recall


@pytest.mark.parametrize(
    ("recall", "share", "words", "is_low"),
    [
        (Recall(0, 0), 1.0, "compare every template", False),
        (Recall(200, 200), 1.0, "for 200 of 200 probes", False),
        (Recall(200, 198), 0.99, "for 198 of 200 probes", False),
        (Recall(200, 197), 0.985, "FACEWEB_EXACT_SEARCH_MAX_ROWS", True),
    ],
)
def test_too_few_are_told_with_what_to_do(recall: Recall, share: float, words: str, is_low: bool) -> None:
    assert recall.share == pytest.approx(share)
    assert recall.is_low == is_low
    assert words in search_wording.recall(recall)
    assert ("restart" in search_wording.recall(recall)) == is_low
    assert Recall.from_json(recall.as_json()) == recall
