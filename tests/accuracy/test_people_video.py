"""A real video of a busy place: who walks towards the camera is followed from the first frame to the last."""

from __future__ import annotations

import pytest

from recognition.live.session import Finished
from recognition.live.timeline import Timeline
from recognition.selectors import packs as active_packs
from recognition.vision.videos import Video
from recognition.worker import packs, videos
from recognition.worker.engine import Engine
from tests import faces, shared_data

pytestmark = pytest.mark.django_db

PEOPLE = shared_data.FOLDER / "video" / "people.mp4"


@pytest.mark.skipif(not PEOPLE.is_file(), reason=f"{PEOPLE} is not there: it is part of the shared data")
def test_three_people_are_followed_through_all_of_it() -> None:
    packs.ensure_active()
    engine = Engine(active_packs.active(), faces.default_pipeline())
    timeline = Timeline()
    with Video(PEOPLE) as video:
        for each in videos.watch(video, engine):
            if isinstance(each, Finished):
                timeline.decide(each)
            elif each.update is not None and each.outcome is not None:
                timeline.see(each.frame.at_s, each.update.faces, each.outcome.faces)
        assert (video.frames_read, video.broke_off) == (105, False)
    assert timeline.people == ()  # nobody is enrolled
    throughout = [each for each in timeline.appearances if each.first_s <= 0.2 and each.last_s >= 3.7]
    assert len(throughout) >= 3
    assert all(each.decision == "reject_no_match" and each.crop_jpeg for each in throughout)
