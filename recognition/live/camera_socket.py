"""What every websocket with a camera shares: who may open it, its first message, and the way of each frame.

`LiveConsumer` and `CheckpointConsumer` say who may, what the page is welcomed with, and what becomes of
an analysed frame.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import json
import logging
import time
import urllib.parse
import weakref
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, ClassVar

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import OriginValidator
from django import db
from django.conf import settings

from recognition.live import frames, logout, messages, metrics
from recognition.live.attention import Attention
from recognition.live.frames import NewestFrame, NoWorker
from recognition.live.link import LinkWindow
from recognition.live.messages import CameraFrame, CloseCode, ErrorCode, MalformedMessage
from recognition.selectors import access, packs
from recognition.selectors.access import Access
from recognition.selectors.packs import ActivePack, GalleryState, NoActivePack
from recognition.services.frames import FrameOutcome, FrameStatus, SearchScope, TrackHint
from recognition.vision.images import FRAME_LIMITS
from recognition.vision.types import BoundingBox

logger = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 10.0
RECHECK_INTERVAL_S = 10.0
"""How often an open connection is checked against the database again."""

RECHECK_TIMEOUT_S = 8.0
"""A database that takes longer to say whether a page may be used does not answer."""

MAX_DROPS_PER_S = 90
"""A page that keeps to its window loses no more frames than its camera makes; one that sends without
waiting for answers loses thousands."""

MAX_TEXT_CHARACTERS = 1024
"""No text message of a page comes near it."""


_open_pages: weakref.WeakSet[CameraSocket] = weakref.WeakSet()


def leave_all() -> set[asyncio.Task[Any]]:
    """Ends every open page because the server stops; to be called in its event loop before it cancels anything.

    Daphne cancels what serves a page without telling it that the page is gone.

    Returns:
        What is still being recorded or told; the stop must wait for it.
    """
    pages = list(_open_pages)
    recordings = {task for page in pages for task in page.leave(is_stopped=True)}
    return recordings | {asyncio.create_task(page.part()) for page in pages}


_TROUBLES: Mapping[FrameStatus, messages.Trouble] = {
    FrameStatus.ANALYSED: "",
    FrameStatus.FAILED: "worker_unavailable",
    FrameStatus.NO_DATABASE: "database_unavailable",
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Begun:
    """A frame that the worker has.

    Args:
        frame: as it came.
        scope: what it is looked at for.
        near: around which boxes; everywhere where there are none.
        received_at: `time.monotonic()` when it came.
        begun_at: `time.monotonic()` when the worker got it.
        outcome: comes from the worker.
    """

    frame: CameraFrame
    scope: SearchScope
    near: tuple[BoundingBox, ...]
    received_at: float
    begun_at: float
    outcome: asyncio.Future[FrameOutcome]


class CameraSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """One page with a camera."""

    kind: ClassVar[str]
    """What the log calls it."""

    protocol: ClassVar[int]
    """The version that its hello must name."""

    async def connect(self) -> None:
        """Accepts first, because a browser shows a page only close codes of accepted sockets."""
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recordings: set[asyncio.Task[Any]] = set()
        self._window = LinkWindow()
        self._newest = NewestFrame(self._on_dropped)
        self._attention = Attention()
        self._begun: _Begun | None = None
        self._welcomed = False
        self._dropped = 0
        self._recent_drops: collections.deque[float] = collections.deque(maxlen=MAX_DROPS_PER_S)
        self._trouble: messages.Trouble = ""
        self._looks_again = False
        self._tilt_degrees = 0.0
        self._joined: list[str] = []
        user = self.scope.get("user")
        self._user = user if user is not None and user.is_authenticated else None
        self._session_key: str | None = getattr(self.scope.get("session"), "session_key", None)
        self._prepare()
        _open_pages.add(self)
        metrics.opened(self.kind)
        await self.accept()
        if not self._origin_is_ours():
            await self._refuse(ErrorCode.FOREIGN_ORIGIN)
            return
        try:
            has_access = await self._has_access()
        except db.Error:
            logger.exception("a %s could not be opened", self.kind)
            await self._refuse(ErrorCode.DATABASE_UNAVAILABLE)
            return
        if has_access:
            for group in self._groups():
                await self.channel_layer.group_add(group, self.channel_name)
                self._joined.append(group)
            self._start(self._expect_hello())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hands a message to its handler, without the thread that Channels goes through before each one.

        It closes old database connections there; here only threads of `database_sync_to_async` have any, and
        those close theirs themselves.
        """
        await getattr(self, get_handler_name(message))(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Takes one message of the page in; never waits for a worker."""
        if self._closed:
            return
        try:
            if bytes_data is not None:
                await self._receive_frame(bytes_data)
            else:
                await self._receive_text(text_data or "")
        except MalformedMessage as error:
            await self._refuse(ErrorCode.MALFORMED, str(error))

    async def disconnect(self, code: int) -> None:
        """Stops what runs for this page, and records what it left undecided."""
        recordings = self.leave(is_stopped=False)
        for group in self._joined:
            await self.channel_layer.group_discard(group, self.channel_name)
        if recordings:
            # Unlike `gather`, this does not cancel them when the server does not wait any longer.
            await asyncio.wait(recordings)

    def leave(self, *, is_stopped: bool) -> set[asyncio.Task[Any]]:
        """Ends the page at once, and hands over what it leaves undecided.

        Args:
            is_stopped: whether the server stops; else the page has gone.

        Returns:
            What is still being recorded.
        """
        # A stop may leave a page that then disconnects.
        if self in _open_pages:
            _open_pages.discard(self)
            metrics.closed(self.kind)
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._leave(time.monotonic(), is_stopped=is_stopped)
        return set(self._recordings)

    async def part(self) -> None:
        """Tells a page that was left that the server stops, so that it waits for it instead of wondering."""
        error = ErrorCode.SERVER_STOPPED
        await self.send(text_data=json.dumps(messages.Error(type="error", code=error.value)))
        await self.close(code=CloseCode[error.name].value)

    async def session_logged_out(self, _event: dict[str, Any]) -> None:
        """Handles the message that the logout signal sends to this session's group."""
        await self._refuse(ErrorCode.NOT_AUTHENTICATED)

    # --- what each kind of page says for itself ---

    def _prepare(self) -> None:
        """Sets up what the page needs before anything is asked of the database."""
        raise NotImplementedError

    async def _refusal(self) -> ErrorCode | None:
        """Why, by the database's word, the page may not be used now; None when it may."""
        raise NotImplementedError

    def _groups(self) -> Iterable[str]:
        """Channel groups whose signals concern the page; asked once it may be used."""
        return [logout.group_name(self._session_key or "")]

    async def _welcome(self) -> None:
        """Answers the hello."""
        raise NotImplementedError

    async def _refresh(self) -> None:
        """Tells the page what has changed around it; called every ten seconds."""
        raise NotImplementedError

    async def _tell_trouble(self, trouble: messages.Trouble) -> None:
        """Tells the page, without asking the database, that frames are not analysed now."""
        raise NotImplementedError

    async def _hear(self, message: object) -> None:
        """Takes a text message after the hello.

        Raises:
            MalformedMessage: for one that the protocol does not allow.
        """
        raise MalformedMessage("expected no text message after the hello")

    def _wanted(self, now_s: float) -> tuple[tuple[TrackHint, ...], SearchScope] | None:
        """What a worker must know for the next frame; None when nothing would be done with it."""
        raise NotImplementedError

    def _absorb(
        self, frame: CameraFrame, outcome: FrameOutcome, scope: SearchScope, *, now_s: float, server_ms: float
    ) -> Coroutine[Any, Any, None]:
        """Takes an analysed frame in at once, so that the next one may begin; what is returned answers it."""
        raise NotImplementedError

    def _empty_result(self, frame: CameraFrame, *, failed: bool, server_ms: float) -> Mapping[str, Any]:
        """The answer to a frame that was dropped, or that the worker failed at."""
        raise NotImplementedError

    def _leave(self, now_s: float, *, is_stopped: bool) -> None:
        """Hands over what the page leaves undecided; see `_keep` and `leave`."""
        raise NotImplementedError

    # --- messages of the page ---

    async def _receive_text(self, text: str) -> None:
        if len(text) > MAX_TEXT_CHARACTERS:
            raise MalformedMessage(f"expected at most {MAX_TEXT_CHARACTERS} characters")
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MalformedMessage("expected JSON") from error
        if self._welcomed:
            await self._hear(message)
            return
        hello = messages.parse_hello(message)
        if hello["protocol"] != self.protocol:
            await self._refuse(ErrorCode.UNSUPPORTED_PROTOCOL)
            return
        try:
            await self._welcome()
        except (NoActivePack, db.Error) as error:
            logger.exception("a %s could not begin", self.kind)
            await self._refuse(_error_code(error))
            return
        if not self._closed:
            self._start(self._analyse())
            self._start(self._recheck())

    async def _receive_frame(self, data: bytes) -> None:
        received_at = time.monotonic()
        if not self._welcomed:
            raise MalformedMessage("expected a hello before the first frame")
        if len(data) > FRAME_LIMITS.max_bytes + messages.FRAME_HEADER.size:
            await self._refuse(ErrorCode.FRAME_TOO_LARGE)
            return
        frame = CameraFrame.parse(data)
        metrics.received()
        self._newest.put(frame, received_at)
        if self._begun is not None:
            # Most frames are looked at for the same, and in the same way, as the one before them.
            frames.prepare(frame, self._for_worker(self._begun.scope, self._begun.near))
        drops = self._recent_drops
        if len(drops) == MAX_DROPS_PER_S and received_at - drops[0] < 1.0:
            await self._refuse(ErrorCode.TOO_FAST)

    # --- frames ---

    async def _analyse(self) -> None:
        """Has one frame after the other analysed: what one says of its tracks is the next one's hints."""
        while True:
            begun = self._begun
            if begun is None:
                self._begun = self._begin(await self._newest.take())
                continue
            outcome = await begun.outcome
            answer = self._absorbed(begun, outcome, time.monotonic())
            # Begun before the answer is written, because the worker would wait for that too.
            waiting = self._newest.take_waiting()
            self._begun = self._begin(waiting) if waiting else None
            await answer

    def _begin(self, taken: tuple[CameraFrame, float]) -> _Begun | None:
        """Hands a frame to the worker; None when nothing would be done with it."""
        frame, received_at = taken
        now = time.monotonic()
        wanted = self._wanted(now)
        if wanted is None:
            metrics.dropped("unwanted")
            self._start(self._send(self._empty_result(frame, failed=False, server_ms=0.0)))
            return None
        hints, scope = wanted
        near = self._attention.near(hints, now)
        try:
            outcome = frames.analysed(frame, hints, received_at, self._for_worker(scope, near))
        except NoWorker:
            outcome = asyncio.get_running_loop().create_future()
            outcome.set_result(FrameOutcome(FrameStatus.FAILED))
        return _Begun(frame, scope, near, received_at, now, outcome)

    def _for_worker(self, scope: SearchScope, near: tuple[BoundingBox, ...]) -> SearchScope:
        """The scope with what a worker may save by; the session's own says what a frame was looked at for."""
        return dataclasses.replace(scope, near=near, tilt_degrees=self._tilt_degrees)

    def _absorbed(self, begun: _Begun, outcome: FrameOutcome, now: float) -> Coroutine[Any, Any, None]:
        """Takes an outcome in at once; what is returned answers the page."""
        server_ms = (now - begun.received_at) * 1e3
        metrics.answered(outcome, server_ms)
        if outcome.status is FrameStatus.UNREADABLE:
            return self._refuse(ErrorCode.MALFORMED, "expected a JPEG")
        if outcome.status is FrameStatus.TOO_LARGE:
            return self._refuse(ErrorCode.FRAME_TOO_LARGE)
        self._note_trouble(_TROUBLES[outcome.status])
        if outcome.status is not FrameStatus.ANALYSED:
            return self._send(self._empty_result(begun.frame, failed=True, server_ms=server_ms))
        self._attention.looked(outcome, now)
        if outcome.faces:
            self._tilt_degrees = outcome.faces[0].quality.roll_degrees
        self._window.measured(link_ms=begun.frame.link_us / 1e3, server_ms=(now - begun.begun_at) * 1e3)
        return self._absorb(begun.frame, outcome, begun.scope, now_s=now, server_ms=server_ms)

    def _note_trouble(self, trouble: messages.Trouble) -> None:
        """Tells the page at once when frames are analysed no more, or again; old results must not stand for long."""
        was, self._trouble = self._trouble, trouble
        if trouble and trouble != was:
            self._start(self._tell_trouble(trouble))
        elif was and not trouble and not self._looks_again:
            self._start(self._look_again())

    def _on_dropped(self, frame: CameraFrame) -> None:
        metrics.dropped("superseded")
        self._dropped += 1
        self._recent_drops.append(time.monotonic())
        self._start(self._send(self._empty_result(frame, failed=False, server_ms=0.0)))

    def _keep(self, work: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
        """Records a decision, also when the page leaves meanwhile."""
        task = asyncio.ensure_future(work)
        # Not among the tasks that end with the page: a decision is kept though its page is gone.
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)
        task.add_done_callback(self._finished)

    # --- who may ---

    def _origin_is_ours(self) -> bool:
        """Whether the page that opened the socket came from this site."""
        headers = dict(self.scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        with contextlib.suppress(ValueError):
            parsed = urllib.parse.urlparse(origin)
            host = headers.get(b"host", b"").decode("latin-1")
            allowed: bool = OriginValidator(None, settings.ALLOWED_HOSTS).valid_origin(parsed)
            # Same host and port as the page's own: another site on this machine is foreign too.
            return allowed and parsed.netloc.lower() == host.lower()
        return False

    async def _may(self, permission: str) -> Access:
        """What the database says of the browser session and a permission."""
        check = database_sync_to_async(access.check, thread_sensitive=False)
        said: Access = await check(
            user_id=self._user.pk if self._user else None, session_key=self._session_key, permission=permission
        )
        return said

    async def _has_access(self) -> bool:
        """Closes the connection unless the page may, by the database's word, be used."""
        refusal = await self._refusal()
        if refusal is not None:
            await self._refuse(refusal)
        return refusal is None

    async def _recheck(self) -> None:
        """Every ten seconds: may the page still be used, and has the installation changed?"""
        while not self._closed:
            await asyncio.sleep(RECHECK_INTERVAL_S)
            await self._look_again()

    async def _look_again(self) -> None:
        self._looks_again = True
        try:
            async with asyncio.timeout(RECHECK_TIMEOUT_S):
                if await self._has_access():
                    await self._refresh()
        except (NoActivePack, db.Error, TimeoutError) as error:
            # Fails closed: who cannot be checked may not go on.
            logger.exception("a %s could not be checked again", self.kind)
            await self._refuse(_error_code(error))
        finally:
            self._looks_again = False

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_TIMEOUT_S)
        if not self._welcomed:
            await self._refuse(ErrorCode.HELLO_TIMEOUT)

    # --- sending ---

    async def _send(self, message: Mapping[str, Any]) -> None:
        if not self._closed:
            await self.send(text_data=json.dumps(message))

    async def _refuse(self, error: ErrorCode, detail: str = "") -> None:
        if self._closed:
            return
        logger.warning("%s of %s closed: %s %s", self.kind, self._who(), error.value, detail)
        await self._send(messages.Error(type="error", code=error.value))
        self._closed = True
        await self.close(code=CloseCode[error.name].value)

    def _who(self) -> str:
        """Whose page it is, for the log; never a name."""
        return f"user {self._user.pk if self._user else None}"

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a %s failed", self.kind, exc_info=task.exception())
            if not self._closed:
                self._start(self._refuse(ErrorCode.SERVER_ERROR))


async def installation(checkpoint_id: int | None = None) -> tuple[ActivePack, GalleryState]:
    """The pack in use with the policy that holds there, and how much of the gallery it can search.

    Raises:
        NoActivePack: on a database where no pack was activated.
    """
    active: ActivePack = await database_sync_to_async(packs.active, thread_sensitive=False)(checkpoint_id)
    read_gallery = database_sync_to_async(packs.gallery_state, thread_sensitive=False)
    gallery: GalleryState = await read_gallery(active.id)
    return active, gallery


def _error_code(error: Exception) -> ErrorCode:
    """Why a page ends that could not be looked up."""
    return ErrorCode.SERVER_ERROR if isinstance(error, NoActivePack) else ErrorCode.DATABASE_UNAVAILABLE
