"""The work of one recognition thread, whoever feeds it: a lane of a child process, Redis, or a command."""

from __future__ import annotations

import dataclasses
import logging
import time

import cv2
from django import db

from recognition.selectors.packs import NoActivePack
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.services.wire import PhotoOutcome, PhotoStatus, Request
from recognition.vision import images
from recognition.vision.errors import ImageTooLarge, PackError, UnreadableImage
from recognition.vision.types import EmbeddedFace
from recognition.worker import packs, processing
from recognition.worker.engine import EngineSource

logger = logging.getLogger(__name__)


class Recogniser:
    """Answers one frame or photo after the other; any number of threads may call it at once."""

    def __init__(self, engines: EngineSource | None = None) -> None:
        """Loads nothing yet.

        Args:
            engines: where the engine comes from; a new source without a wide pipeline when left out.
        """
        self._engines = engines or EngineSource()

    @property
    def runtime(self) -> str:
        """What runs the networks now."""
        return self._engines.current().pipeline.runtime

    def warm_up(self) -> None:
        """Loads the active pack and compiles its networks before the first frame comes.

        Raises:
            PackError: when the active pack cannot be loaded here.
        """
        engine = self._engines.current()
        engine.pipeline.warm_up()
        if engine.wide is not None:
            engine.wide.warm_up()

    def answer(self, request: Request) -> FrameOutcome | PhotoOutcome:
        """Analyses whatever a request asks for, just taken from the wire."""
        if request.frame is None:
            return self.photo(request.image)
        return self.frame(request.task(time.monotonic()), wide=request.wide)

    def frame(self, task: FrameTask, *, wide: bool = False) -> FrameOutcome:
        """Analyses a frame in a thread that does nothing else; whatever goes wrong is an outcome too.

        Args:
            task: the frame.
            wide: whether one call of a network may use all cores, because nothing else runs.
        """
        try:
            engine = self._engines.current(task.scope.checkpoint_id)
            if wide and engine.wide is not None:
                engine = dataclasses.replace(engine, pipeline=engine.wide)
            return processing.process(task, engine)
        except (PackError, NoActivePack, db.Error) as error:
            logger.error("a frame could not be analysed: %s", error)
        except Exception:
            logger.exception("a frame could not be analysed")
        _let_go_of_the_database()
        return FrameOutcome(FrameStatus.FAILED)

    def photo(self, data: bytes) -> PhotoOutcome:
        """Analyses a photo in a thread that does nothing else; whatever goes wrong is an outcome too."""
        try:
            return PhotoOutcome(PhotoStatus.ANALYSED, self.analyse(data))
        except ImageTooLarge:
            return PhotoOutcome(PhotoStatus.TOO_LARGE)
        except UnreadableImage:
            return PhotoOutcome(PhotoStatus.UNREADABLE)
        except (PackError, NoActivePack, db.Error) as error:
            logger.error("a photo could not be analysed: %s", error)
        # Whatever it is, whoever asked must hear that the photo failed.
        except Exception:
            logger.exception("a photo could not be analysed")
        _let_go_of_the_database()
        return PhotoOutcome(PhotoStatus.FAILED)

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """Analyses a photo in the caller's thread; see `services.analysis.StillImageAnalyser`.

        Raises:
            ImageError: when it is not an image, or too large.
            PackError: when the active pack cannot be loaded here.
        """
        return processing.photo(images.decode(data), self._engines.current())


def start(engines: EngineSource | None = None) -> Recogniser:
    """Activates the default pack where none is, loads the active one and warms it up.

    Args:
        engines: as for `Recogniser`.

    Raises:
        PackError: when the active pack cannot be loaded here.
    """
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    packs.ensure_active()
    recogniser = Recogniser(engines)
    recogniser.warm_up()
    return recogniser


def _let_go_of_the_database() -> None:
    # Each thread keeps its connection from frame to frame (fetching one costs as much as a search), and
    # lets go of it when something failed: after a restart of the database it is of no use.
    db.connections.close_all()
