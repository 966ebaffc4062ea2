from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from recognition import wiring
from recognition.vision import model_packs
from recognition.vision.runtimes.choice import RuntimeOptions
from tests import faces, shared_data


@shared_data.needed
@pytest.mark.accuracy
def test_an_insightface_pack_finds_six_people_and_tells_them_apart(tmp_path: Path) -> None:
    pack = model_packs.insightface_pack(shared_data.FOLDER / "packs" / "scrfd_mbf")
    loaded = wiring.load(pack, RuntimeOptions("auto", threads=1, cache_dir=tmp_path))
    assert loaded.dimension == 128
    assert pack.licence.commercial_use is False

    group = faces.group()
    people = loaded.pipeline.embed(group, loaded.pipeline.find(group))
    assert len(people) == faces.PEOPLE_IN_GROUP
    assert {face.embedding.dimension for face in people} == {128}
    assert {face.embedding.pack_digest for face in people} == {pack.digest()}
    pairs = itertools.combinations(people, 2)
    assert max(first.embedding.similarity(second.embedding) for first, second in pairs) < 0.4
