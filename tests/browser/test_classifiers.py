"""Classifiers are trained by keyboard, seen at work, and asked by a policy from then on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

IMPORTS = "from recognition.models import TrainedClassifier"

ENROLLED = """
from recognition.evaluation import face_like
from recognition.models import FaceSample, FaceTemplate, ModelPack, Person
pack = ModelPack.objects.get(is_active=True)
drawn = face_like.generate(face_like.load(), people=6, samples_each=2, probes=0, seed=7)
for number, vector in enumerate(drawn.vectors):
    person, _ = Person.objects.get_or_create(name=f'Person {number // 2}')
    sample = FaceSample.objects.create(person=person, source='upload', quality={}, image_sha256=f'{number:064}')
    FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
"""


def test_classifiers_are_trained_by_keyboard(site: Site) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/trainedclassifier/"))
    expect(page.get_by_role("heading", name="Not trained yet")).to_be_visible()
    looks.inspect(page, "classifiers-empty")

    site.shell(ENROLLED)
    page.get_by_role("button", name="Train now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What they are worth here")).to_be_visible()
    expect(page.get_by_text("as other people 0 faces seen and 1000 made up")).to_be_visible()
    expect(page.get_by_role("cell", name="fresh")).to_have_count(2)
    looks.inspect(page, "classifiers")
    assert site.read("TrainedClassifier.objects.count()", imports=IMPORTS) == 2

    page.get_by_role("link", name="The threshold policy, whose matching").focus()
    page.keyboard.press("Enter")
    page.goto(site.url("/admin/recognition/thresholdpolicy/add/"))
    expect(page.get_by_text("it can take a name back and never gives one")).to_be_visible()
    expect(page.locator("select[name=strategy] option")).to_have_count(5)
