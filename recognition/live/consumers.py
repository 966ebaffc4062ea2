"""The websocket of the live page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from channels.db import database_sync_to_async
from django import db

from recognition.live import alerting, messages, rendering
from recognition.live.camera_socket import CameraSocket, installation
from recognition.live.messages import PROTOCOL_VERSION, CameraFrame, ErrorCode
from recognition.live.session import Finished, LiveSession, Update
from recognition.selectors import access, alerts
from recognition.selectors.access import Access
from recognition.selectors.alerts import OpenAlerts
from recognition.selectors.packs import ActivePack, GalleryState
from recognition.services import events
from recognition.services.frames import SITE_WIDE, FrameOutcome, SearchScope, TrackHint
from recognition.vision.images import FRAME_LIMITS

logger = logging.getLogger(__name__)

_REFUSALS = {
    Access.ALLOWED: None,
    Access.NOT_AUTHENTICATED: ErrorCode.NOT_AUTHENTICATED,
    Access.NOT_PERMITTED: ErrorCode.NOT_PERMITTED,
}


class LiveConsumer(CameraSocket):
    """One live page."""

    kind = "live session"
    protocol = PROTOCOL_VERSION

    def _prepare(self) -> None:
        self._session = LiveSession()
        self._notice: messages.Notice | None = None
        self._alert: messages.Alert | None = None

    async def _refusal(self) -> ErrorCode | None:
        return _REFUSALS[await self._may(access.USE_LIVE)]

    async def _welcome(self) -> None:
        active, gallery = await installation()
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
        await self._tell_alerts()

    async def _refresh(self) -> None:
        await self._tell(*await installation())
        await self._tell_alerts()

    def _groups(self) -> Iterable[str]:
        return [*super()._groups(), alerting.GROUP]

    async def alerts_changed(self, _event: dict[str, Any]) -> None:
        """Handles the message that a checkpoint sends when it has met somebody of the deny list."""
        if self._welcomed:
            self._start(self._tell_alerts())

    def _wanted(self, now_s: float) -> tuple[tuple[TrackHint, ...], SearchScope]:
        return self._session.hints(now_s), SITE_WIDE

    def _absorb(
        self, frame: CameraFrame, outcome: FrameOutcome, scope: SearchScope, *, now_s: float, server_ms: float
    ) -> Coroutine[Any, Any, None]:
        return self._answer(frame, outcome, self._session.absorb(outcome, now_s), server_ms)

    async def _answer(self, frame: CameraFrame, outcome: FrameOutcome, update: Update, server_ms: float) -> None:
        # Stored before it is shown: nobody is accepted on the word of a result. Meanwhile the next frame is analysed.
        records = [asyncio.create_task(self._recorded(finished)) for finished in update.finished]
        for record in records:
            self._keep(record)
        if records:
            await asyncio.wait(records)  # unlike a task that is awaited, they go on when the page leaves
        await self._send(
            rendering.result(
                sequence=frame.sequence,
                update=update,
                outcome=outcome,
                server_ms=server_ms,
                window=self._window.size,
                dropped=self._dropped,
            )
        )
        for record in records:
            decision = record.result()
            if decision is not None:
                await self._send(decision)

    def _empty_result(self, frame: CameraFrame, *, failed: bool, server_ms: float) -> Mapping[str, Any]:
        return rendering.empty_result(
            sequence=frame.sequence,
            failed=failed,
            server_ms=server_ms,
            window=self._window.size,
            dropped=self._dropped,
        )

    def _leave(self, now_s: float, *, is_stopped: bool) -> None:
        for finished in self._session.close(now_s):
            self._keep(self._recorded(finished))

    async def _recorded(self, finished: Finished) -> messages.Decision | None:
        """Stores a decision; the news of it, or None where it could not be stored and the page has ended."""
        record = database_sync_to_async(events.record, thread_sensitive=False)
        try:
            event = await record(transaction=finished.record, operator=self._user)
        except db.Error:
            # Nobody is told of a decision that is not in the log, but the operator that there was none.
            logger.exception("a decision could not be stored")
            await self._refuse(ErrorCode.DATABASE_UNAVAILABLE)
            return None
        return rendering.decision(track_id=finished.track_id, event=event, leading=finished.record.leading)

    async def _tell_alerts(self) -> None:
        """Tells of open alerts, if the user may see them by the database's word now."""
        found: OpenAlerts | None = None
        if await self._may(access.VIEW_ALERT) is Access.ALLOWED:
            found = await database_sync_to_async(alerts.unacknowledged, thread_sensitive=False)()
        alert = rendering.alert(found)
        # A page that knows of none need not be told that there is none.
        if alert != (self._alert or rendering.alert(None)):
            self._alert = alert
            await self._send(alert)

    async def _tell_trouble(self, trouble: messages.Trouble) -> None:
        people = self._notice["people"] if self._notice is not None else 0
        self._notice = messages.Notice(type="notice", code=trouble, people=people)
        await self._send(self._notice)

    async def _tell(self, active: ActivePack, gallery: GalleryState) -> None:
        notice = rendering.notice(active, gallery, trouble=self._trouble)
        if notice != self._notice:
            self._notice = notice
            await self._send(notice)
