"""Fills the throwaway server's gallery; a process of its own, because its settings name another database.

Run as `python -m recognition.bench.gallery FILE`, where FILE is what `write` left.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django
import numpy as np

from faceweb import env
from recognition.bench.people import Cast

NAME = "Person {number:04d}"


def write(path: Path, cast: Cast) -> None:
    """Leaves the enrolled people where the other process finds them.

    Args:
        path: a `.npz` file.
        cast: whose faces are enrolled; invented people get the first face's quality.
    """
    embeddings = [*(face.embedding for face in cast.faces), *cast.invented]
    qualities = [face.quality.as_json() for face in cast.faces]
    qualities += qualities[:1] * len(cast.invented)
    np.savez(
        path,
        vectors=np.stack([embedding.vector for embedding in embeddings]),
        qualities=json.dumps(qualities),
        pack_digest=embeddings[0].pack_digest,
    )


def fill(path: Path) -> None:
    """Enrols everybody of a file as an import would have."""
    # Imported here, because models need the settings, which `main` has just chosen.
    from django.db import connection

    from recognition.models import FaceSample, FaceTemplate, ModelPack, Person

    with np.load(path) as stored:
        vectors, qualities = stored["vectors"], json.loads(str(stored["qualities"]))
        pack = ModelPack.objects.get(digest=str(stored["pack_digest"]))
    people = Person.objects.bulk_create(Person(name=NAME.format(number=number)) for number in range(len(vectors)))
    samples = FaceSample.objects.bulk_create(
        FaceSample(person=person, source=FaceSample.Source.IMPORT, quality=quality, image_sha256=f"{number:064x}")
        for number, (person, quality) in enumerate(zip(people, qualities, strict=True))
    )
    FaceTemplate.objects.bulk_create(
        FaceTemplate(sample=sample, pack=pack, embedding=vector)
        for sample, vector in zip(samples, vectors, strict=True)
    )
    with connection.cursor() as cursor:
        # What PostgreSQL would do by itself within a minute: the search is planned with true numbers.
        cursor.execute("ANALYZE")


def main() -> None:
    """The process."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    fill(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
