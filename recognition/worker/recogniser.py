"""The work of one recognition thread, whoever feeds it: a lane of a child process, Redis, or a command."""

from __future__ import annotations

import dataclasses
import logging
import time

import cv2
from django import db
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from recognition import conf, wiring
from recognition.selectors.packs import NoActivePack
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.services.wire import Ahead, PhotoOutcome, PhotoStatus, Request
from recognition.vision import cores, images
from recognition.vision.errors import ImageError, PackError
from recognition.vision.runtimes import threads
from recognition.vision.types import EmbeddedFace
from recognition.worker import packs, processing
from recognition.worker.engine import EngineSource
from recognition.worker.processing import Look

logger = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS = 1800
"""A little less than the time after which a frame has failed anyway."""


class Recogniser:
    """Answers one frame or photo after the other; any number of threads may call it at once."""

    def __init__(self, engines: EngineSource | None = None) -> None:
        """Loads nothing yet.

        Args:
            engines: where the engine comes from; a new source when left out.
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
        self._engines.current().pipeline.warm_up()

    def look_ahead(self, frame: Ahead) -> Look | None:
        """Looks at a frame that will be asked about next; None where that fails, which is told when it is asked."""
        try:
            engine = self._engines.current(frame.scope.checkpoint_id)
            return processing.look(frame.image, frame.scope, engine)
        # Whatever it is, it will be met again with somebody to answer to.
        except Exception:
            logger.debug("a frame could not be looked at ahead", exc_info=True)
        _let_go_of_the_database()
        return None

    def answer(self, request: Request, look: Look | None = None) -> FrameOutcome | PhotoOutcome:
        """Analyses whatever a request asks for, just taken from the wire.

        Args:
            request: the frame or the photo.
            look: what was seen of the frame ahead.
        """
        if request.frame is None:
            return self.photo(request.image)
        return self.frame(request.task(time.monotonic()), look)

    def frame(self, task: FrameTask, look: Look | None = None) -> FrameOutcome:
        """Analyses a frame in a thread that does nothing else; whatever goes wrong is an outcome too.

        Args:
            task: the frame.
            look: what was seen of it ahead.
        """
        try:
            return processing.process(task, self._engines.current(task.scope.checkpoint_id), look)
        except (db.OperationalError, db.InterfaceError) as error:
            logger.error("a frame could not be analysed without the database: %s", error)
            _let_go_of_the_database()
            return FrameOutcome(FrameStatus.NO_DATABASE)
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
        except ImageError:  # what is too large was refused where it was asked
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

    def is_up(self) -> bool:
        """See `services.analysis.StillImageAnalyser`: the networks are in this process."""
        return True


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


def measure_threads() -> None:
    """Measures how many threads recognise most on this machine, where nothing says so yet; see `conf.worker_threads`.

    Raises:
        PackError: when the active pack cannot be loaded here.
    """
    if not conf.measures_threads():
        return
    cv2.setNumThreads(1)
    packs.ensure_active()
    options = dataclasses.replace(wiring.runtime_options(), threads=cores.usable())
    pipeline = EngineSource(options).current().pipeline
    pipeline.warm_up()
    threads.measure(pipeline.warm_up, conf.cache_dir())


def limit_statements() -> None:
    """Has every connection that this process opens from now on give a statement up when nobody waits for it any more.

    Without it a table that is locked holds up every thread, and the process is taken for one that hangs.
    """
    connection_created.connect(_limit_statements)


def _limit_statements(connection: BaseDatabaseWrapper, **_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{STATEMENT_TIMEOUT_MS}ms"])


def _let_go_of_the_database() -> None:
    # Each thread keeps its connection from frame to frame (fetching one costs as much as a search), and
    # lets go of it when something failed: after a restart of the database it is of no use.
    db.connections.close_all()
