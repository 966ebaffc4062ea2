"""Recognition in threads of this process: the embedded default, and one process of a worker host."""

from __future__ import annotations

import concurrent.futures
import logging
import queue
import threading
from collections.abc import Callable

import cv2
from django import db
from django.utils.translation import gettext

from recognition import conf
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.vision import images
from recognition.vision.errors import PackError
from recognition.vision.types import EmbeddedFace
from recognition.worker import packs, processing
from recognition.worker.engine import EngineSource

logger = logging.getLogger(__name__)

PHOTO_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0

Job = Callable[[], None]


class ThreadedWorker:
    """A few threads, each on one core, that take frames and photos in the order they come."""

    def __init__(self, threads: int, engines: EngineSource | None = None) -> None:
        """Starts the threads.

        Args:
            threads: how many.
            engines: where they get their engine; a new source when left out.
        """
        self._engines = engines or EngineSource()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"recognition-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def runtime(self) -> str:
        """What runs the networks now."""
        return self._engines.current().pipeline.runtime

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """Takes a frame; see `services.frames.FrameWorker`."""
        self._jobs.put(lambda: done(self._frame(task)))

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """Analyses a photo in one of the threads; see `services.analysis.StillImageAnalyser`."""
        # Refused in the caller's thread, so that a wrong file never waits for a worker.
        images.read_header(data)
        future: concurrent.futures.Future[tuple[EmbeddedFace, ...]] = concurrent.futures.Future()

        def job() -> None:
            try:
                future.set_result(processing.photo(images.decode(data), self._engines.current()))
            # Whatever it is belongs to the caller, who waits in another thread.
            except BaseException as error:  # noqa: BLE001
                db.connections.close_all()
                future.set_exception(error)

        self._jobs.put(job)
        try:
            return future.result(PHOTO_TIMEOUT_S)
        except concurrent.futures.TimeoutError as error:
            raise analysis.AnalyserUnavailable(
                gettext("The photo was not analysed in time: the system is overloaded. Try again.")
            ) from error

    def warm_up(self) -> None:
        """Loads the active pack and compiles its networks before the first frame comes.

        Raises:
            PackError: when the active pack cannot be loaded here.
        """
        self._engines.current().pipeline.warm_up()

    def stop(self) -> None:
        """Finishes the frames in hand and ends the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            # The last line of defence: one session's frame must not end the thread of all.
            except Exception:
                logger.exception("a recognition job failed")
        db.connections.close_all()

    def _frame(self, task: FrameTask) -> FrameOutcome:
        try:
            return processing.process(task, self._engines.current(task.scope.checkpoint_id))
        except (PackError, NoActivePack, db.Error) as error:
            logger.error("a frame could not be analysed: %s", error)
        except Exception:
            logger.exception("a frame could not be analysed")
        # Each thread keeps its connection from frame to frame (fetching one costs as much as a search),
        # and lets go of it when something failed: after a restart of the database it is of no use.
        db.connections.close_all()
        return FrameOutcome(FrameStatus.FAILED)


def start_in_process() -> ThreadedWorker:
    """Starts recognition in threads of this process and connects photos to it.

    Live sessions are a layer above: the entry point hands the worker to `live.frames` as well.

    Raises:
        PackError: when the active pack cannot be loaded here.
    """
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    packs.ensure_active()
    worker = ThreadedWorker(conf.worker_threads())
    worker.warm_up()
    analysis.connect(worker)
    return worker
