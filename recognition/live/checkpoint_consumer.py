"""The websocket of a kiosk page: one checkpoint, and nothing else."""

from __future__ import annotations

import asyncio
import http.cookies
import logging
import time
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from channels.db import database_sync_to_async
from django import db
from django.utils import timezone

from recognition.decision.verdict import Decision, TransactionReason
from recognition.live import alerting, camera_socket, removal
from recognition.live import checkpoint_messages as messages
from recognition.live import checkpoint_rendering as rendering
from recognition.live.camera_socket import CameraSocket
from recognition.live.checkpoint import CheckpointSession, Mode, View
from recognition.live.checkpoint_messages import Claimed
from recognition.live.looking import Finished
from recognition.live.messages import CameraFrame, ErrorCode, Trouble
from recognition.models import KioskDevice
from recognition.selectors import access, checkpoints
from recognition.selectors.access import Access
from recognition.selectors.checkpoints import CheckpointView
from recognition.services import kiosks, transactions
from recognition.services.events import NotDecidable
from recognition.services.frames import FrameOutcome, SearchScope, TrackHint
from recognition.services.transactions import ClaimInProgress, Concluded, NotDecidedHere, Origin

logger = logging.getLogger(__name__)

TICK_S = 0.25
"""How exactly time-outs and the countdown are kept when no frame comes."""


class CheckpointConsumer(CameraSocket):
    """One page of a checkpoint, on a paired kiosk or of a user who may open it."""

    kind = "checkpoint page"
    protocol = messages.PROTOCOL_VERSION

    def _prepare(self) -> None:
        self._slug: str = self.scope["url_route"]["kwargs"]["slug"]
        self._token = _cookie(self.scope["headers"])
        self._device: KioskDevice | None = None
        self._opened = [time.time(), self.channel_name]
        self._checkpoint: CheckpointView | None = None
        self._session: CheckpointSession | None = None
        self._welcome_sent: messages.Welcome | None = None
        self._notice: messages.Notice | None = None
        self._view: View | None = None

    # --- who may ---

    async def _refusal(self) -> ErrorCode | None:
        """A kiosk's cookie comes before a login: what happens there is recorded as the kiosk's."""
        if self._token:
            self._device = await database_sync_to_async(_paired, thread_sensitive=False)(self._token)
            if self._device is not None and self._device.checkpoint.slug == self._slug:
                return None
        said = await self._may(access.USE_CHECKPOINT)
        if said is Access.ALLOWED:
            self._device = None
            return None
        if self._token:
            return ErrorCode.NOT_PAIRED
        return ErrorCode.NOT_PERMITTED if said is Access.NOT_PERMITTED else ErrorCode.NOT_AUTHENTICATED

    def _groups(self) -> Iterable[str]:
        if self._device is not None:
            return [removal.group_name(self._device.pk)]
        return super()._groups()

    async def kiosk_removed(self, _event: dict[str, Any]) -> None:
        """Handles the message that a removal sends to this kiosk's group."""
        await self._refuse(ErrorCode.NOT_PAIRED)

    async def kiosk_opened(self, event: dict[str, Any]) -> None:
        """Handles the message of a page of this kiosk: the newest goes on alone, lest each open the door."""
        if event["opened"] > self._opened:
            await self._refuse(ErrorCode.OPENED_ELSEWHERE)

    def _who(self) -> str:
        return f"kiosk {self._device.pk}" if self._device is not None else super()._who()

    # --- what holds ---

    async def _welcome(self) -> None:
        await self._refresh()
        if not self._closed:
            self._welcomed = True
            self._start(self._keep_time())
            if self._device is not None:
                group = removal.group_name(self._device.pk)
                await self.channel_layer.group_send(group, {"type": "kiosk.opened", "opened": self._opened})

    async def _refresh(self) -> None:
        read = database_sync_to_async(checkpoints.by_slug, thread_sensitive=False)
        checkpoint: CheckpointView | None = await read(self._slug)
        if checkpoint is None:
            await self._refuse(ErrorCode.NO_SUCH_CHECKPOINT)
            return
        active, gallery = await camera_socket.installation(checkpoint.id)
        self._checkpoint = checkpoint
        mode = Mode(checkpoint.mode)
        if self._session is None:
            self._session = CheckpointSession(mode, checkpoint.id)
        self._session.follow(mode, active, is_open=checkpoint.is_active)
        welcome = rendering.welcome(checkpoint, window=self._window.size)
        if self._welcome_sent is None or _unlike(self._welcome_sent, welcome):
            self._welcome_sent = welcome
            await self._send(welcome)
        notice = rendering.notice(checkpoint, active, gallery, trouble=self._trouble)
        if notice != self._notice:
            self._notice = notice
            await self._send(notice)
        await self._tell_state()

    async def _tell_trouble(self, trouble: Trouble) -> None:
        self._notice = messages.Notice(type="notice", code=trouble)
        await self._send(self._notice)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._session is not None:
                await self._take(self._session.tick(time.monotonic()))
                await self._tell_state()

    # --- claims ---

    async def _hear(self, message: object) -> None:
        said = messages.parse(message)
        session = self._session
        if session is None:
            return
        now_s = time.monotonic()
        if said == "enter_id":
            await self._take(session.enter_id(now_s))
        elif said == "cancel":
            await self._take(session.cancel(now_s))
        else:
            await self._open(said, session, now_s)
        # Also where nothing came of it, so that the page does not wait for what will not come.
        self._view = None
        await self._tell_state()

    async def _open(self, said: Claimed, session: CheckpointSession, now_s: float) -> None:
        if self._checkpoint is None or not session.takes_claims:
            return
        await self._take(session.enter_id(now_s))
        open_claim = database_sync_to_async(transactions.open_claim, thread_sensitive=False)
        try:
            opened: ClaimInProgress | Concluded = await open_claim(
                checkpoint_id=self._checkpoint.id,
                external_id=said.external_id,
                pin=said.pin or None,
                origin=self._origin(),
            )
        except (db.Error, NotDecidedHere, NotDecidable):
            logger.exception("a claim could not be opened")
            await self._show_failure()
            return
        if isinstance(opened, Concluded):
            await self._show_concluded(opened, is_claim=True)
        elif session.takes_claims:
            session.claim(opened, time.monotonic())

    # --- frames ---

    def _wanted(self, now_s: float) -> tuple[tuple[TrackHint, ...], SearchScope] | None:
        scope = self._session.scope(now_s) if self._session is not None else None
        if scope is None or self._session is None:
            return None
        return self._session.hints(now_s), scope

    def _absorb(
        self, frame: CameraFrame, outcome: FrameOutcome, scope: SearchScope, *, now_s: float, server_ms: float
    ) -> Coroutine[Any, Any, None]:
        if self._session is None:
            raise ValueError("absorb: expected a session, because it asked for the frame")
        code = self._session.scanned(outcome, now_s)
        finished = self._session.absorb(outcome, scope, now_s)
        return self._answer(frame, code, finished, server_ms)

    async def _answer(self, frame: CameraFrame, code: str | None, finished: Finished | None, server_ms: float) -> None:
        await self._send(self._result(frame, "analysed", server_ms))
        if code is not None:
            await self._send(messages.Scanned(type="scanned", external_id=code))
        await self._take(finished)
        await self._tell_state()

    def _empty_result(self, frame: CameraFrame, *, failed: bool, server_ms: float) -> Mapping[str, Any]:
        return self._result(frame, "failed" if failed else "dropped", server_ms)

    def _result(self, frame: CameraFrame, status: str, server_ms: float) -> messages.Result:
        return rendering.result(
            sequence=frame.sequence,
            status=status,
            server_ms=server_ms,
            window=self._window.size,
            dropped=self._dropped,
        )

    def _leave(self, now_s: float, *, is_stopped: bool) -> None:
        because = TransactionReason.SERVER_STOPPED if is_stopped else TransactionReason.LEFT
        finished = self._session.close(now_s, because) if self._session is not None else None
        if finished is not None:
            self._keep(self._conclude(finished))

    # --- conclusions ---

    async def _take(self, finished: Finished | None) -> None:
        if finished is not None:
            self._keep(self._conclude(finished))

    async def _conclude(self, finished: Finished) -> None:
        """Has a transaction stored, and shows what was stored; if it cannot be, nobody is accepted."""
        if self._checkpoint is None:
            raise ValueError("conclude: expected a checkpoint")
        conclude = database_sync_to_async(transactions.conclude, thread_sensitive=False)
        try:
            concluded: Concluded = await conclude(
                checkpoint_id=self._checkpoint.id,
                claim=finished.claim,
                conclusion=finished.conclusion,
                active=finished.active,
                crop_jpeg=finished.crop_jpeg,
                timings=finished.timings,
                runtime=finished.runtime,
                duration_s=finished.duration_s,
                origin=self._origin(),
            )
        except Exception:
            # Whatever it is: a kiosk that waits for its answer must hear that there is none.
            logger.exception("a decision could not be stored")
            if finished.is_shown:
                await self._show_failure()
            return
        if concluded.raised_alert:
            await alerting.tell_everybody(self.channel_layer)
        if finished.is_shown:
            await self._show_concluded(concluded, is_claim=finished.claim is not None)

    async def _show_concluded(self, concluded: Concluded, *, is_claim: bool) -> None:
        await self._show_answer(
            rendering.conclusion(concluded, is_claim=is_claim), accepted=concluded.decision is Decision.ACCEPT
        )

    async def _show_failure(self) -> None:
        await self._show_answer(rendering.failure(), accepted=False)

    async def _show_answer(self, answer: messages.Conclusion, *, accepted: bool) -> None:
        if self._session is not None:
            self._session.answered(accepted=accepted, now_s=time.monotonic())
        await self._send(answer)
        await self._tell_state()

    def _origin(self) -> Origin:
        if self._device is not None:
            return Origin(user=None, device_id=self._device.pk)
        return Origin(user=self._user, device_id=None)

    async def _tell_state(self) -> None:
        if self._session is None:
            return
        view = self._session.view(time.monotonic())
        if view != self._view:
            self._view = view
            await self._send(rendering.state(view))


def _paired(token: str) -> KioskDevice | None:
    device = kiosks.device_of(token)
    if device is not None:
        kiosks.seen(device=device, now=timezone.now())
    return device


def _cookie(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The kiosk's token, empty where the browser sent none that can be read."""
    sent = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
    try:
        jar.load(sent)
    except http.cookies.CookieError:
        return ""
    found = jar.get(access.KIOSK_COOKIE)
    return found.value if found is not None else ""


def _unlike(before: messages.Welcome, now: messages.Welcome) -> bool:
    """Whether anything but the window changed; that one is told with every result."""
    return {**before, "window": 0} != {**now, "window": 0}
