from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from recognition.admin import quality_table
from recognition.models import FaceSample
from tests import fakes


def test_every_score_and_every_measurement_has_a_name_in_their_order() -> None:
    assert list(quality_table.SCORES) == list(fakes.scores().as_json())
    assert list(quality_table.MEASUREMENTS) == list(fakes.quality().measurements_json())


def test_a_score_is_a_bar_and_a_number() -> None:
    html = quality_table.tables(fakes.quality(scores=fakes.scores(head_pose_yaw=7)).as_json())
    assert '<th scope="row">Not turned aside</th>' in html
    assert 'value="7"' in html
    assert '<td class="is-number">7</td>' in html
    assert "style=" not in html


def test_what_was_stored_before_there_were_scores_shows_its_measurements() -> None:
    html = quality_table.tables(fakes.quality().as_json())
    assert "It was stored before quality was scored." in html
    assert "<meter" not in html
    assert '<th scope="row">Face size, px</th><td class="is-number">112</td>' in html


@pytest.mark.django_db
class TestPages:
    def test_a_sample_shows_its_scores_and_one_of_before_shows_a_dash(self, client: Client) -> None:
        fakes.activated_pack()
        fakes.person("Ada", fakes.probe(), fakes.probe())
        new, old = FaceSample.objects.all()
        new.quality = fakes.quality(scores=fakes.scores(unified_quality_score=63)).as_json()
        new.save()
        client.force_login(fakes.in_role("auditor"))
        listed = client.get(reverse("admin:recognition_facesample_changelist")).content.decode()
        assert ">63<" in listed
        for sample, said in ((new, "Unified quality score"), (old, "stored before quality was scored")):
            page = client.get(reverse("admin:recognition_facesample_change", args=[sample.pk])).content.decode()
            assert said in page

    def test_an_event_shows_the_quality_of_its_probe_where_it_has_one(self, client: Client) -> None:
        thresholds = {"identification_threshold": 0.5, "margin": 0.05, "votes_needed": 3, "votes_of": 5}
        scored = fakes.quality(scores=fakes.scores()).as_json()
        client.force_login(fakes.in_role("auditor"))
        for quality, shown in ((scored, True), ({}, False)):
            event = fakes.event(similarity=0.9, thresholds=thresholds, quality=quality)
            page = client.get(reverse("admin:recognition_recognitionevent_change", args=[event.pk])).content.decode()
            assert ("Quality of the probe" in page) == shown
