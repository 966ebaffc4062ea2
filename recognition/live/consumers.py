"""The websocket of the live page: who may use it, what it may send, and the way of each frame."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import json
import logging
import time
import urllib.parse
from collections.abc import Coroutine
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import OriginValidator
from django import db
from django.conf import settings

from recognition.live import frames, logout, messages, rendering
from recognition.live.frames import NewestFrame, NoWorker
from recognition.live.link import LinkWindow
from recognition.live.messages import (
    PROTOCOL_VERSION,
    CameraFrame,
    CloseCode,
    ErrorCode,
    MalformedMessage,
    ServerMessage,
)
from recognition.live.session import Finished, LiveSession, Update
from recognition.selectors import access, packs
from recognition.selectors.access import Access
from recognition.selectors.packs import ActivePack, GalleryState, NoActivePack
from recognition.services import events
from recognition.services.frames import FrameOutcome, FrameStatus
from recognition.vision.images import FRAME_LIMITS

logger = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 10.0
RECHECK_INTERVAL_S = 10.0
"""How often an open connection is checked against the database again."""

MAX_DROPS_PER_S = 90
"""A page that keeps to its window loses no more frames than its camera makes; one that sends without
waiting for answers loses thousands."""

MAX_TEXT_CHARACTERS = 1024
"""The page's only text message is `hello`, of about forty characters."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Begun:
    """A frame that the worker has.

    Args:
        frame: as it came.
        received_at: `time.monotonic()` when it came.
        begun_at: `time.monotonic()` when the worker got it.
        outcome: comes from the worker.
    """

    frame: CameraFrame
    received_at: float
    begun_at: float
    outcome: asyncio.Future[FrameOutcome]


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """One live page."""

    async def connect(self) -> None:
        """Accepts first, because a browser shows a page only close codes of accepted sockets."""
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._recordings: set[asyncio.Task[None]] = set()
        self._session = LiveSession()
        self._window = LinkWindow()
        self._newest = NewestFrame(self._on_dropped)
        self._welcomed = False
        self._dropped = 0
        self._recent_drops: collections.deque[float] = collections.deque(maxlen=MAX_DROPS_PER_S)
        self._notice: messages.Notice | None = None
        self._worker_works = True
        self._group = ""
        user = self.scope.get("user")
        self._user = user if user is not None and user.is_authenticated else None
        self._session_key: str | None = getattr(self.scope.get("session"), "session_key", None)
        await self.accept()
        if not self._origin_is_ours():
            await self._refuse(ErrorCode.FOREIGN_ORIGIN, CloseCode.FOREIGN_ORIGIN)
        elif await self._has_access():
            self._group = logout.group_name(self._session_key or "")
            await self.channel_layer.group_add(self._group, self.channel_name)
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
            await self._refuse(ErrorCode.MALFORMED, CloseCode.MALFORMED, str(error))

    async def disconnect(self, code: int) -> None:
        """Stops what runs for this page, and records what it left undecided."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._group:
            await self.channel_layer.group_discard(self._group, self.channel_name)
        for finished in self._session.close(time.monotonic()):
            self._keep(finished)
        await asyncio.gather(*self._recordings)

    async def session_logged_out(self, _event: dict[str, Any]) -> None:
        """Handles the message that the logout signal sends to this session's group."""
        await self._refuse(ErrorCode.NOT_AUTHENTICATED, CloseCode.NOT_AUTHENTICATED)

    # --- messages of the page ---

    async def _receive_text(self, text: str) -> None:
        if self._welcomed or len(text) > MAX_TEXT_CHARACTERS:
            raise MalformedMessage("expected no text message after the hello")
        try:
            hello = messages.parse_hello(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise MalformedMessage("expected a hello as JSON") from error
        if hello["protocol"] != PROTOCOL_VERSION:
            await self._refuse(ErrorCode.UNSUPPORTED_PROTOCOL, CloseCode.UNSUPPORTED_PROTOCOL)
            return
        try:
            active, gallery = await _installation()
        except (NoActivePack, db.Error):
            logger.exception("a live session could not begin")
            await self._refuse(ErrorCode.SERVER_ERROR, CloseCode.SERVER_ERROR)
            return
        policy = active.policy
        self._welcomed = True
        await self._send(
            messages.Welcome(
                type="welcome",
                protocol=PROTOCOL_VERSION,
                window=self._window.size,
                max_frame_bytes=FRAME_LIMITS.max_bytes,
                policy_version=policy.version if policy else 0,
                pack=active.name,
                votes_needed=policy.votes_needed if policy else 0,
                votes_of=policy.votes_of if policy else 0,
            )
        )
        await self._tell(active, gallery)
        self._start(self._analyse())
        self._start(self._recheck())

    async def _receive_frame(self, data: bytes) -> None:
        received_at = time.monotonic()
        if not self._welcomed:
            raise MalformedMessage("expected a hello before the first frame")
        if len(data) > FRAME_LIMITS.max_bytes + messages.FRAME_HEADER.size:
            await self._refuse(ErrorCode.FRAME_TOO_LARGE, CloseCode.FRAME_TOO_LARGE)
            return
        self._newest.put(CameraFrame.parse(data), received_at)
        drops = self._recent_drops
        if len(drops) == MAX_DROPS_PER_S and received_at - drops[0] < 1.0:
            await self._refuse(ErrorCode.TOO_FAST, CloseCode.TOO_FAST)

    # --- frames ---

    async def _analyse(self) -> None:
        """Has one frame after the other analysed: never two of a session at once."""
        begun = self._begin(await self._newest.take())
        while True:
            outcome = await begun.outcome
            answered_at = time.monotonic()
            update = self._absorbed(begun, outcome, answered_at)
            # Begun before the answer is written, because the worker would wait for that too.
            waiting = self._newest.take_waiting()
            following = self._begin(waiting) if waiting else None
            await self._answer(begun, outcome, update, answered_at)
            begun = following or self._begin(await self._newest.take())

    def _begin(self, taken: tuple[CameraFrame, float]) -> _Begun:
        frame, received_at = taken
        now = time.monotonic()
        try:
            outcome = frames.analysed(frame, self._session.hints(now), received_at)
        except NoWorker:
            outcome = asyncio.get_running_loop().create_future()
            outcome.set_result(FrameOutcome(FrameStatus.FAILED))
        return _Begun(frame, received_at, now, outcome)

    def _absorbed(self, begun: _Begun, outcome: FrameOutcome, now: float) -> Update | None:
        """What the frame changed; None when it was not analysed."""
        self._worker_works = outcome.status is not FrameStatus.FAILED
        if outcome.status is not FrameStatus.ANALYSED:
            return None
        self._window.measured(link_ms=begun.frame.link_us / 1e3, server_ms=(now - begun.begun_at) * 1e3)
        return self._session.absorb(outcome, now)

    async def _answer(self, begun: _Begun, outcome: FrameOutcome, update: Update | None, now: float) -> None:
        if outcome.status is FrameStatus.UNREADABLE:
            await self._refuse(ErrorCode.MALFORMED, CloseCode.MALFORMED, "expected a JPEG")
            return
        if outcome.status is FrameStatus.TOO_LARGE:
            await self._refuse(ErrorCode.FRAME_TOO_LARGE, CloseCode.FRAME_TOO_LARGE)
            return
        server_ms = (now - begun.received_at) * 1e3
        if update is None:
            await self._send(self._empty_result(begun.frame, failed=True, server_ms=server_ms))
            return
        await self._send(
            rendering.result(
                sequence=begun.frame.sequence,
                update=update,
                embedded=sum(face.candidates is not None for face in outcome.faces),
                timings=outcome.timings,
                server_ms=server_ms,
                window=self._window.size,
                dropped=self._dropped,
            )
        )
        for finished in update.finished:
            self._keep(finished)

    def _on_dropped(self, frame: CameraFrame) -> None:
        self._dropped += 1
        self._recent_drops.append(time.monotonic())
        self._start(self._send(self._empty_result(frame, failed=False, server_ms=0.0)))

    def _empty_result(self, frame: CameraFrame, *, failed: bool, server_ms: float) -> messages.Result:
        return rendering.empty_result(
            sequence=frame.sequence,
            failed=failed,
            server_ms=server_ms,
            window=self._window.size,
            dropped=self._dropped,
        )

    def _keep(self, finished: Finished) -> None:
        """Records a decision beside the frames, so that a slow disk does not hold the next one up."""
        task = asyncio.ensure_future(self._record(finished))
        # Not among the tasks that end with the page: a decision is kept though its page is gone.
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)
        task.add_done_callback(self._finished)

    async def _record(self, finished: Finished) -> None:
        record = database_sync_to_async(events.record, thread_sensitive=False)
        try:
            event = await record(transaction=finished.record, operator=self._user)
        except db.Error:
            # The decision was shown but is not in the log: the operator must hear of it.
            logger.exception("a decision could not be stored")
            await self._refuse(ErrorCode.SERVER_ERROR, CloseCode.SERVER_ERROR)
            return
        leading = finished.record.leading
        await self._send(rendering.decision(track_id=finished.track_id, event=event, leading=leading))

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

    async def _has_access(self) -> bool:
        """Closes the connection unless its user may, by the database's word, use the page."""
        check = database_sync_to_async(access.check, thread_sensitive=False)
        said = await check(
            user_id=self._user.pk if self._user else None,
            session_key=self._session_key,
            permission=access.USE_LIVE,
        )
        if said is Access.NOT_AUTHENTICATED:
            await self._refuse(ErrorCode.NOT_AUTHENTICATED, CloseCode.NOT_AUTHENTICATED)
        elif said is Access.NOT_PERMITTED:
            await self._refuse(ErrorCode.NOT_PERMITTED, CloseCode.NOT_PERMITTED)
        return said is Access.ALLOWED

    async def _recheck(self) -> None:
        """Every ten seconds: is the user still permitted, and has the installation changed?"""
        while True:
            await asyncio.sleep(RECHECK_INTERVAL_S)
            try:
                if not await self._has_access():
                    return
                await self._tell(*await _installation())
            except (NoActivePack, db.Error):
                # Fails closed: who cannot be checked may not go on.
                logger.exception("a live session could not be checked again")
                await self._refuse(ErrorCode.SERVER_ERROR, CloseCode.SERVER_ERROR)
                return

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_TIMEOUT_S)
        if not self._welcomed:
            await self._refuse(ErrorCode.HELLO_TIMEOUT, CloseCode.HELLO_TIMEOUT)

    # --- sending ---

    async def _tell(self, active: ActivePack, gallery: GalleryState) -> None:
        notice = rendering.notice(active, gallery, worker=self._worker_works)
        if notice != self._notice:
            self._notice = notice
            await self._send(notice)

    async def _send(self, message: ServerMessage) -> None:
        if not self._closed:
            await self.send(text_data=json.dumps(message))

    async def _refuse(self, error: ErrorCode, code: CloseCode, detail: str = "") -> None:
        if self._closed:
            return
        user_id = self._user.pk if self._user else None
        logger.warning("live session of user %s closed: %s %s", user_id, error.value, detail)
        await self._send(messages.Error(type="error", code=error.value))
        self._closed = True
        await self.close(code=code.value)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a live session failed", exc_info=task.exception())
            if not self._closed:
                self._start(self._refuse(ErrorCode.SERVER_ERROR, CloseCode.SERVER_ERROR))


async def _installation() -> tuple[ActivePack, GalleryState]:
    active: ActivePack = await database_sync_to_async(packs.active, thread_sensitive=False)()
    read_gallery = database_sync_to_async(packs.gallery_state, thread_sensitive=False)
    gallery: GalleryState = await read_gallery(active.id)
    return active, gallery
