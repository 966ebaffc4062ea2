"""Data sets on the command line: a folder with a folder for each person, and what in it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from django.core.management.base import CommandError

from recognition import import_wording, wording
from recognition.evaluation.lfw_protocol import ImageName
from recognition.importing import entries, labelled
from recognition.importing.entries import Skip
from recognition.management.base import encodable
from recognition.vision import images
from recognition.vision.errors import ImageError
from recognition.vision.images import STILL_LIMITS
from recognition.vision.types import ImageBgr

_IMAGE_NAME = re.compile(r"(?P<person>.+)_(?P<number>\d{4})", re.ASCII)


class DataSet:
    """Labelled images, which remembers those of its files that could not be read.

    Whoever measures goes on without them and tells of them at the end. Safe to be used by several threads at once.
    """

    def __init__(self, folder: Path) -> None:
        """Reads nothing yet.

        Args:
            folder: of all images, as FOLDER/NAME/IMAGE or FOLDER/NAME/originals/IMAGE.
        """
        self.folder = folder
        self._unread: dict[str, str] = {}

    @property
    def unread(self) -> Mapping[str, str]:
        """The files met so far that could not be read, by path, and why."""
        return dict(sorted(self._unread.items()))

    def found(self) -> tuple[ImageName, ...]:
        """Every image.

        Images that are called NAME_0001 have the number that they say; where no image of a person is called so, theirs
        are numbered by name. A person's folder may keep them in a folder `originals`, as exports do. Hidden files and
        folders are left out; files with other names than photos cannot be read.

        Raises:
            CommandError: when there is none.
        """
        try:
            people = [path for path in sorted(self.folder.iterdir()) if path.is_dir() and entries.is_meant(path.name)]
            names = [name for person in people for name in self._images_of(person)]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
        if not names:
            raise CommandError(f"{self.folder} holds no folder of a person with images, as NAME/NAME_0001.jpg.")
        return tuple(sorted(names))

    def located(self, wanted: Collection[ImageName]) -> list[ImageName]:
        """Images of a pairs file with the files that they are here; those that are not here as they came.

        Args:
            wanted: by person and number.
        """
        people = [self.folder / name for name in sorted({name.person for name in wanted})]
        here = {name: name for person in people if person.is_dir() for name in self._images_of(person)}
        return sorted(here.get(name, name) for name in wanted)

    def require_all(self, wanted: Collection[ImageName]) -> None:
        """Refuses images that are not here.

        Raises:
            CommandError: naming one of them.
        """
        missing = [name for name in wanted if not (self.folder / name.path).is_file()]
        if missing:
            raise CommandError(
                f"{len(missing)} of {len(wanted)} images are not in {self.folder}, such as {missing[0].path}."
            )

    def read(self, name: ImageName) -> tuple[ImageBgr, ...]:
        """An image; nothing where it cannot be read, which is remembered."""
        return self.read_file(self.folder / name.path)

    def read_file(self, path: Path) -> tuple[ImageBgr, ...]:
        """The image of any file, likewise."""
        try:
            images.require_bytes_within(STILL_LIMITS, path.stat().st_size)
            return (images.decode(path.read_bytes()),)
        except OSError as error:
            self._cannot_be_read(path, f"The file cannot be read: {error.strerror}.")
        except ImageError as error:
            self._cannot_be_read(path, wording.fault_sentence(wording.image_fault(error)))
        return ()

    def _cannot_be_read(self, path: Path, why: str) -> None:
        is_inside = path.is_relative_to(self.folder)
        self._unread[encodable(path.relative_to(self.folder).as_posix() if is_inside else str(path))] = why

    def _images_of(self, person: Path) -> list[ImageName]:
        originals = person / labelled.ORIGINALS
        place = originals if originals.is_dir() else person
        names = []
        for path in sorted(place.iterdir()):
            if not path.is_file() or not entries.is_meant(path.name):
                continue
            if entries.is_image(path.name):
                names.append(path.relative_to(person).as_posix())
            else:
                self._cannot_be_read(path, import_wording.skip_sentence(Skip.NOT_AN_IMAGE))
        numbered: dict[int, str] = {}
        for name in names:
            match = _IMAGE_NAME.fullmatch(Path(name).stem)
            if match and match["person"] == person.name:
                numbered.setdefault(int(match["number"]), name)
        if not numbered:
            numbered = dict(enumerate(names, start=1))
        return [ImageName(person.name, number, name) for number, name in numbered.items()]
