"""Recognition, and jobs, in processes that this one starts, watches, and starts again when they end."""

from __future__ import annotations

import concurrent.futures
import logging
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection

from django.utils.translation import gettext

from recognition.services.analysis import AnalyserUnavailable
from recognition.services.frames import SITE_WIDE, Backlog, FrameOutcome, FrameStatus, FrameTask, SearchScope
from recognition.services.lanes import Job, Lane, Lanes, Outcome
from recognition.services.wire import Ahead, PhotoOutcome, PhotoStatus
from recognition.vision import images
from recognition.vision.types import EmbeddedFace

logger = logging.getLogger(__name__)

READY = b""
"""What a child says first when it can work; anything else is the reason why it cannot."""

FRAME_TIMEOUT_S = 2.0
"""A frame without an answer for this long has failed: its session goes on with the next one."""

FRAME_HANG_S = 30.0
"""A child that has a frame for this long is killed. Not sooner: the first frame after a switch of the model
pack loads it, and on a busy machine a slow child is no broken one."""

PHOTO_TIMEOUT_S = 60.0
"""Of a photo with a hundred faces and a large pack; then it has failed, and the child is killed."""

POLL_S = 0.5
"""How often jobs are looked through for those whose time is up."""

STOP_TIMEOUT_S = 10.0

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Pauses before a child is started again; the last one is repeated."""

STEADY_S = 60.0
"""A child that has worked for this long is started again after the shortest pause."""


MOST_CHILDREN = 8
"""Each takes 350 MB; with more threads than this, several share a child, and its Python's lock."""


def lanes_of_children(threads: int) -> tuple[int, ...]:
    """How many lanes each child has, so that together they have as many as there are to be threads."""
    children = min(threads, MOST_CHILDREN)
    return tuple(threads // children + (number < threads % children) for number in range(children))


class StartFailed(Exception):
    """The first child cannot work; the text says why."""


class ChildWorkers:
    """This process's children; the same two ports that workers elsewhere fill."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], lanes: Callable[[], Sequence[int]]
    ) -> None:
        """Starts the first child, waits until it is ready, and starts the others.

        The first one alone activates the default pack and measures the runtimes and threads; what it stores spares
        the others both, and may say that there are to be fewer of them.

        Args:
            command: starts one; numbers of inherited file descriptors are added: control, then lanes.
            environment: of the children.
            lanes: says how many each child has (see `lanes_of_children`), before the first is started and after.

        Raises:
            StartFailed: when the first one cannot work.
        """
        self._lanes = Lanes()
        self._stopping = threading.Event()

        def keeper(count: int) -> _Keeper:
            return _Keeper(command, environment, count, self._lanes, self._stopping)

        self._children = [keeper(lanes()[0])]
        try:
            self._children[0].start().result()
        except BaseException:
            self.stop()
            raise
        self._children += map(keeper, lanes()[1:])
        for child in self._children[1:]:
            child.start()

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """Takes a frame; see `services.frames.FrameWorker`."""

        def finish(outcome: Outcome) -> None:
            done(outcome if isinstance(outcome, FrameOutcome) else _FAILED_FRAME)

        self._lanes.submit(
            Job(
                task.jpeg,
                task.hints,
                task.scope,
                task.received_at,
                _FAILED_FRAME,
                FRAME_TIMEOUT_S,
                FRAME_HANG_S,
                finish,
            )
        )

    def prepare(self, jpeg: bytes, scope: SearchScope) -> None:
        """Has a frame looked at where a child has nothing else to do; see `services.frames.FrameWorker`."""
        self._lanes.prepare(Ahead(jpeg, scope))

    def backlog(self) -> Backlog:
        """What waits for a child that is idle; see `services.frames.FrameWorker`."""
        return self._lanes.backlog(time.monotonic())

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """Has a photo analysed and waits; see `services.analysis.StillImageAnalyser`."""
        # Refused in the caller's thread, so that a wrong file never waits for a worker.
        images.read_header(data)
        if not self._lanes.are_up:
            raise AnalyserUnavailable(
                gettext("Recognition is not running: it ended and is being started again. Try again in a minute.")
            )
        future: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
        self._lanes.submit(
            Job(
                data,
                None,
                SITE_WIDE,
                time.monotonic(),
                _FAILED_PHOTO,
                PHOTO_TIMEOUT_S,
                PHOTO_TIMEOUT_S,
                future.set_result,
            )
        )
        outcome = future.result()
        if not isinstance(outcome, PhotoOutcome):
            outcome = _FAILED_PHOTO
        return outcome.faces_or_error(
            gettext("The photo could not be analysed, or not in time. Try again; faceweb's log says more.")
        )

    def is_up(self) -> bool:
        """Whether a child takes photos now; see `services.analysis.StillImageAnalyser`."""
        return self._lanes.are_up

    def stop(self) -> None:
        """Finishes what is in hand and ends the children."""
        self._stopping.set()
        self._lanes.stop()
        for child in self._children:
            child.join()


class KeptProcess:
    """A child that works by itself and answers nothing, such as the one that does jobs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], name: str) -> None:
        """Starts it, and does not wait.

        Args:
            command: starts it; the number of an inherited file descriptor is added: control.
            environment: of the child.
            name: what it is, for the log.
        """
        self._stopping = threading.Event()
        self._keeper = _Keeper(command, environment, 0, Lanes(), self._stopping, name)
        self._first = self._keeper.start()

    def wait_until_ready(self) -> None:
        """Waits for its first start.

        Raises:
            StartFailed: when it cannot work.
        """
        self._first.result()

    def stop(self) -> None:
        """Ends it; what it has in hand is its own matter."""
        self._stopping.set()
        self._keeper.join()


_FAILED_FRAME = FrameOutcome(FrameStatus.FAILED)
_FAILED_PHOTO = PhotoOutcome(PhotoStatus.FAILED)


class _Keeper:
    """Keeps one child running, in a thread of its own."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        lane_count: int,
        lanes: Lanes,
        stopping: threading.Event,
        name: str = "recognition",
    ) -> None:
        self._command = command
        self._environment = environment
        self._lane_count = lane_count
        self._lanes = lanes
        self._stopping = stopping
        self._first: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._name = name
        self._thread = threading.Thread(target=self._run, name=f"{name}-keeper", daemon=True)

    def start(self) -> concurrent.futures.Future[None]:
        """Starts the child; the future ends when it is ready, or with `StartFailed`."""
        self._thread.start()
        return self._first

    def join(self) -> None:
        """Waits for the child's end."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            begin = time.monotonic()
            try:
                self._live_once()
            # Whatever it is: the first start tells its caller, a later one is tried again.
            except Exception as error:  # noqa: BLE001
                if not self._first.done():
                    self._first.set_exception(error)
                    return
                if not self._stopping.is_set():
                    logger.error("%s could not be started again: %s", self._name, error)
            if time.monotonic() - begin > STEADY_S:
                failures = 0
            self._stopping.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1
        if not self._first.done():
            self._first.set_exception(StartFailed("it was stopped before it started"))

    def _live_once(self) -> None:
        child = _Child(self._command, self._environment, self._lane_count)
        try:
            child.wait_until_ready(self._stopping)
            lanes = [self._lanes.add(connection) for connection in child.hand_lanes_over()]
            if not self._first.done():
                self._first.set_result(None)
            self._watch(child, lanes)
        finally:
            child.end()

    def _watch(self, child: _Child, lanes: Sequence[Lane]) -> None:
        """Until the child ends, hangs, or is to stop."""
        try:
            while not child.has_ended(POLL_S):
                now = time.monotonic()
                self._lanes.expire(now)
                for lane in lanes:
                    lane.expire(now)
                if any(lane.hangs(now) for lane in lanes):
                    logger.error("%s process %d hangs and is killed", self._name, child.pid)
                    child.kill()
                    return
                if self._stopping.is_set():
                    for lane in lanes:
                        lane.join(STOP_TIMEOUT_S)
                    return
            logger.error("%s process %d has ended", self._name, child.pid)
        finally:
            for lane in lanes:
                self._lanes.remove(lane)


class _Child:
    """A child process with our ends of its connections."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], lanes: int) -> None:
        pairs = [socket.socketpair() for _ in range(1 + lanes)]
        theirs = [there.fileno() for _, there in pairs]
        try:
            self._process = subprocess.Popen(
                [*command, *map(str, theirs)],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=theirs,
                # Ctrl-C in a terminal reaches this process alone, which ends the child when its frames are answered.
                start_new_session=True,
            )
        except OSError:
            for here, _ in pairs:
                here.close()
            raise
        finally:
            for _, there in pairs:
                there.close()
        self._control, *self._lanes = [Connection(here.detach()) for here, _ in pairs]
        self._is_ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self, stopping: threading.Event) -> None:
        while not self._control.poll(POLL_S):
            if stopping.is_set():
                raise StartFailed("it was stopped while it started")
        try:
            said = self._control.recv_bytes()
        except (EOFError, OSError):
            said = b"its process ended and gave no reason; the lines above may hold one"
        if said != READY:
            raise StartFailed(said.decode(errors="replace"))
        self._is_ready = True

    def hand_lanes_over(self) -> Sequence[Connection]:
        """Whoever takes the connections closes them."""
        lanes, self._lanes = self._lanes, []
        return lanes

    def has_ended(self, timeout_s: float) -> bool:
        # It says nothing more, so whatever there is to read is the end.
        return self._control.poll(timeout_s)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Ends the process: its connections tell it to, unless it has not begun to listen to them."""
        if not self._is_ready:
            self._process.kill()
        for connection in (self._control, *self._lanes):
            connection.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
