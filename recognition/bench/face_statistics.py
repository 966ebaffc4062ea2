"""Makes the statistics that face-like galleries are drawn from, of the default pack on a folder of images.

Run as `python -m recognition.bench.face_statistics IMAGES FILE`, where IMAGES holds NAME/NAME_0001.jpg; what was
embedded is kept in the cache directory. It takes four minutes on two cores for view 1 of Labeled Faces in the Wild.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
import numpy as np
from numpy.typing import NDArray

from faceweb import env
from recognition.evaluation import face_like


def main() -> None:
    """The process."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    images, target = map(Path, sys.argv[1:])
    face_like.save(face_like.measured(*_embedded(images)), target)


def _embedded(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors of all images, and whose each is."""
    # Imported here, because they need the settings, which `main` has just chosen.
    from recognition import conf, wiring
    from recognition.management import evaluating
    from recognition.management.data_sets import DataSet
    from recognition.vision import model_packs

    loaded = wiring.load(model_packs.opencv_zoo_pack(), wiring.runtime_options())
    kept = conf.cache_dir() / f"face-statistics-{loaded.pack.digest()[:16]}.npz"
    if not kept.exists():
        images = DataSet(folder)
        faces = evaluating.embedded(loaded.pipeline, images, images.found(), quiet=False)
        names = sorted(faces)
        people = np.unique([name.person for name in names], return_inverse=True)[1]
        np.savez(kept, vectors=np.stack([faces[name].vector for name in names]), people=people.astype(np.int64))
    with np.load(kept) as stored:
        return stored["vectors"], stored["people"]


if __name__ == "__main__":
    main()
