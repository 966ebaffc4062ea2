from __future__ import annotations

import pytest

from recognition.decision.matching import Strategy
from recognition.decision.verdict import Decision
from recognition.models import ModelPack, Person, TrainedClassifier
from recognition.services import analysis, policies, search
from recognition.services.search import Comparison, SearchRefused
from recognition.vision.errors import UnreadableImage
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    analysis.connect(
        fakes.FakeAnalyser(
            {
                b"broken": UnreadableImage("damaged"),
                b"ada": (fakes.embedded(),),
                b"like ada": (fakes.embedded(fakes.like_probe(0.45, axis=2)),),
                b"two": (fakes.embedded(), fakes.embedded(fakes.like_probe(0.0, axis=5))),
            }
        )
    )


@pytest.fixture
def ada() -> Person:
    fakes.activated_pack()
    return fakes.person("Ada", fakes.probe())


def compared(first: bytes, second: bytes) -> Comparison:
    return search.compare_faces(first=search.largest_face(image=first), second=search.largest_face(image=second))


@pytest.mark.usefixtures("ada")
class TestSearchPhoto:
    def test_of_a_photo_without_a_face_is_empty(self) -> None:
        found = search.search_photo(image=b"nobody")
        assert (found.faces, found.pack_name, found.threshold, found.policy_version) == ((), "fake-pack", 0.5, 1)

    def test_of_what_is_no_image_is_refused(self) -> None:
        with pytest.raises(SearchRefused, match="not an image"):
            search.search_photo(image=b"broken")

    def test_judges_each_face(self) -> None:
        known, stranger = search.search_photo(image=b"two").faces
        assert (known.decision, stranger.decision) == (Decision.ACCEPT, Decision.REJECT_NO_MATCH)
        assert [candidate.person_name for candidate in known.candidates] == ["Ada"]
        assert known.margin is None

    def test_says_why_a_classifier_takes_a_name_back(self) -> None:
        fakes.trained(Strategy.KNN_CLASSIFIER, fakes.like_probe(0.0, axis=2))
        values = {"strategy": "knn_classifier"}
        pack = ModelPack.objects.get()
        policies.create_version(pack=pack, values=values, reason="try it", actor=None)
        assert [face.objection for face in search.search_photo(image=b"two").faces] == ["", ""]
        TrainedClassifier.objects.all().delete()
        known, stranger = search.search_photo(image=b"two").faces
        assert (known.decision, stranger.objection) == (Decision.REJECT_NO_MATCH, "")
        assert "the policy asks a classifier, and none can be used" in known.objection

    def test_shows_at_most_five_people_and_the_margin_of_the_first(self) -> None:
        for number in range(7):
            fakes.person(f"p{number}", fakes.like_probe(0.1 * number, axis=3))
        (face,) = search.search_photo(image=b"ada").faces
        assert len(face.candidates) == search.CANDIDATES_SHOWN
        assert face.margin == pytest.approx(0.4, abs=1e-5)


def test_a_pack_without_thresholds_shows_similarities_and_decides_nothing() -> None:
    fakes.activated_pack(decides=False)
    ada = fakes.person("Ada", fakes.probe())
    found = search.search_photo(image=b"ada")
    assert (found.threshold, found.policy_version, found.faces[0].decision) == (None, None, None)
    assert found.faces[0].candidates[0].similarity == pytest.approx(1)
    claim = search.verify_claim(person=ada, image=b"ada")
    assert claim.similarity == pytest.approx(1)
    assert claim.distance == pytest.approx(0, abs=1e-3)
    assert claim.decision is None
    assert compared(b"ada", b"ada").decision is None


class TestVerifyClaim:
    @pytest.mark.parametrize(
        ("image", "similarity", "decision"),
        # 0.45 is above the verification threshold of 0.4, though a search would name nobody.
        [(b"ada", 1.0, Decision.ACCEPT), (b"like ada", 0.45, Decision.ACCEPT)],
    )
    def test_is_judged_by_the_verification_threshold(
        self, ada: Person, image: bytes, similarity: float, decision: Decision
    ) -> None:
        check = search.verify_claim(person=ada, image=image)
        assert check.similarity == pytest.approx(similarity, abs=1e-5)
        assert check.decision is decision

    def test_of_a_person_without_samples_is_rejected(self, ada: Person) -> None:
        check = search.verify_claim(person=fakes.person("Eve"), image=b"ada")
        assert (check.similarity, check.decision) == (None, Decision.REJECT_NO_MATCH)

    def test_of_a_photo_without_a_face_is_refused(self, ada: Person) -> None:
        with pytest.raises(SearchRefused, match="No face"):
            search.verify_claim(person=ada, image=b"nobody")


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("second", "similarity", "decision"),
    [(b"ada", 1.0, Decision.ACCEPT), (b"like ada", 0.45, Decision.ACCEPT)],
)
def test_two_photos_are_compared_by_cosine_and_distance(second: bytes, similarity: float, decision: Decision) -> None:
    comparison = compared(b"ada", second)
    assert comparison.similarity == pytest.approx(similarity, abs=1e-5)
    assert comparison.distance == pytest.approx((2 - 2 * similarity) ** 0.5, abs=1e-2)
    assert comparison.decision is decision
