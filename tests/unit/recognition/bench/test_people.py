from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from recognition.bench import people
from recognition.vision import geometry
from tests import faces


def test_without_lfw_the_shipped_faces_walk_and_the_gallery_is_filled_up() -> None:
    cast = people.cast(faces.default_pipeline(), None, enrolled=50, threads=1)
    assert len(cast.walkers) == people.WALKERS == faces.PEOPLE_IN_GROUP
    assert len(cast.faces) == people.WALKERS // 2
    everybody = [*(face.embedding for face in cast.faces), *cast.invented]
    assert len(everybody) == 50
    around = cast.faces[0].embedding
    assert cast.invented[0].similarity(around) == pytest.approx(people.INVENTED_SIMILARITY, abs=1e-5)
    strangers = max(one.similarity(other) for one, other in itertools.combinations(everybody, 2))
    assert strangers < 0.6


def test_of_lfw_every_second_walker_is_enrolled_from_another_photo(tmp_path: Path) -> None:
    group = faces.group()
    for number, face in enumerate(faces.default_pipeline().find(group)):
        person = tmp_path / f"Person_{number}"
        person.mkdir()
        for photo, context in enumerate([2.0, 2.3] if number < 3 else [2.0], start=1):
            image = geometry.crop_square(group, face.box, context=context, side_px=250)
            (person / f"{person.name}_{photo:04d}.jpg").write_bytes(faces.jpeg(image))
    pipeline = faces.default_pipeline()
    cast = people.cast(pipeline, tmp_path, enrolled=3, threads=1)
    walking = [pipeline.embed(image, pipeline.find(image)[:1])[0].embedding for image in cast.walkers]
    best = [max(face.embedding.similarity(walker) for face in cast.faces) for walker in walking]
    assert [similarity > 0.5 for similarity in best] == [True, False] * 3
