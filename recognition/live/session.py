"""One camera session: tracks, votes and decisions, as a pure state machine.

Time comes in as an argument, frames as a worker's outcome; what to show and what to record comes out.
The life of a track: deciding (every usable frame is a vote) -> decided (a vote now and then, to
notice that somebody else stands there) -> ended, by leaving, by time-out, or by two votes against it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

from recognition.decision import verdict, voting
from recognition.decision.policy import Policy, QualityFault
from recognition.decision.verdict import Decision, Vote
from recognition.decision.voting import VoteRecord
from recognition.selectors.packs import ActivePack
from recognition.services.events import TransactionRecord
from recognition.services.frames import (
    FrameOutcome,
    FrameStatus,
    SeenFace,
    TrackHint,
)
from recognition.vision.types import BoundingBox, Quality

LOST_AFTER_S = 1.0
"""A face not seen for this long has left; shorter gaps are blinks of the detector."""

VOTES_AGAINST = 2
"""Votes in a row that contradict a decision end it: one alone may be a bad frame."""

BETTER_BY = 1.2
"""Factor by which quality must rise before a decided face is looked at ahead of time."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaceView:
    """One face as the page shows it.

    Args:
        track_id: stable while it is the same identity.
        box: in pixels of the frame.
        decision: accept, another decision, or None while deciding.
        leading: the vote that leads or decided; None before the first.
        votes: how many votes it has.
        fault: the first gate it does not pass now, None when it passes all.
    """

    track_id: str
    box: BoundingBox
    decision: Decision | None
    leading: Vote | None
    votes: int
    fault: QualityFault | None


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A track whose decision is final.

    Args:
        track_id: the session's name of it.
        record: what its event keeps.
    """

    track_id: str
    record: TransactionRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Update:
    """What a frame changed.

    Args:
        faces: what to show.
        finished: what to record.
    """

    faces: tuple[FaceView, ...]
    finished: tuple[Finished, ...]


@dataclasses.dataclass(slots=True)
class _Track:
    """A face followed from frame to frame."""

    track_id: str
    box: BoundingBox
    first_seen_s: float
    last_seen_s: float
    votes: list[VoteRecord] = dataclasses.field(default_factory=list)
    decision: Decision | None = None
    decided: Vote | None = None
    against: int = 0
    last_vote_s: float = 0.0
    best_score: float = 0.0
    best_quality: Quality | None = None
    crop_jpeg: bytes = b""
    faults: tuple[QualityFault, ...] = ()

    def cast(self) -> list[Vote]:
        return [entry.vote for entry in self.votes]


class LiveSession:
    """The tracks of one camera."""

    def __init__(self, new_track_id: Callable[[], str] | None = None) -> None:
        """Starts without tracks.

        Args:
            new_track_id: names tracks; counts from 1 when left out.
        """
        counter = itertools.count(1)
        self._new_track_id = new_track_id or (lambda: str(next(counter)))
        self._tracks: dict[str, _Track] = {}
        self._policy: Policy | None = None
        self._last: tuple[ActivePack, str] | None = None

    def hints(self, now_s: float) -> tuple[TrackHint, ...]:
        """What a worker must know for the next frame.

        Args:
            now_s: a monotonic clock, in seconds.
        """
        return tuple(
            TrackHint(
                track.track_id,
                track.box,
                due=self._due(track, now_s),
                better_than=track.best_score * BETTER_BY,
            )
            for track in self._tracks.values()
        )

    def absorb(self, outcome: FrameOutcome, now_s: float) -> Update:
        """Takes a worker's outcome in.

        Args:
            outcome: of an analysed frame.
            now_s: the same clock as for `hints`.

        Raises:
            ValueError: for an outcome that was not analysed.
        """
        if outcome.active is None:
            raise ValueError(f"absorb: expected an analysed frame, got {outcome.status}")
        if self._last is not None and self._last[0].digest != outcome.active.digest:
            # Similarities of two packs have no common scale: votes do not carry over.
            self._tracks.clear()
        self._last = outcome.active, outcome.runtime
        if self._policy != outcome.active.policy:
            # An event names one policy, so votes cast under another count no more.
            for track in self._tracks.values():
                if track.decision is None:
                    track.votes.clear()
        self._policy = outcome.active.policy
        finished: list[Finished] = []
        views: list[FaceView] = []
        for seen in outcome.faces:
            track = self._follow(seen, now_s)
            transaction = self._vote(track, seen, outcome, now_s)
            if transaction is not None:
                finished.append(transaction)
            views.append(self._view(track, seen))
        finished.extend(self._ended(outcome, now_s))
        return Update(tuple(views), tuple(finished))

    def close(self, now_s: float) -> tuple[Finished, ...]:
        """Ends the session: what is still undecided, with votes, ends without a decision."""
        if self._last is None:
            return ()
        active, runtime = self._last
        outcome = dataclasses.replace(_EMPTY, active=active, runtime=runtime)
        open_tracks = [track for track in self._tracks.values() if track.decision is None]
        self._tracks.clear()
        return tuple(
            self._finish(track, Decision.NO_DECISION_TIMEOUT, outcome, now_s)
            for track in open_tracks
            if track.votes and active.policy is not None
        )

    def _due(self, track: _Track, now_s: float) -> bool:
        # After one vote against a decision the next frame tells: a wrong name must not stand for seconds.
        if track.decision is None or track.against > 0 or self._policy is None:
            return True
        return now_s - track.last_vote_s >= self._policy.reembed_interval_s

    def _follow(self, seen: SeenFace, now_s: float) -> _Track:
        track = self._tracks.get(seen.track_id) if seen.track_id is not None else None
        if track is None:
            track = self._start(seen.box, now_s)
        track.box = seen.box
        track.last_seen_s = now_s
        track.faults = seen.faults
        return track

    def _start(self, box: BoundingBox, now_s: float) -> _Track:
        track = _Track(self._new_track_id(), box, first_seen_s=now_s, last_seen_s=now_s)
        self._tracks[track.track_id] = track
        return track

    def _vote(self, track: _Track, seen: SeenFace, outcome: FrameOutcome, now_s: float) -> Finished | None:
        """Counts a vote; the transaction, when this vote decides the track."""
        policy = self._policy
        if seen.candidates is None:
            return None
        track.last_vote_s = now_s
        if policy is None:
            # Without measured thresholds there is nothing to judge by: show, do not decide.
            best, following = seen.candidates.best, seen.candidates.runner_up
            shown = Vote(Decision.NO_DECISION_QUALITY, best, following, seen.candidates.margin)
            track.votes = [VoteRecord(0.0, shown, seen.quality)]
            return None
        vote = verdict.judge(seen.candidates, policy)
        if track.decided is not None and vote.answer != track.decided.answer:
            track.against += 1
            if track.against < VOTES_AGAINST:
                return None
            # Somebody else, or never who we thought: a new identity, a new transaction.
            del self._tracks[track.track_id]
            self._reset(track, now_s)
        track.against = 0
        if seen.quality.score > track.best_score:
            track.best_score = seen.quality.score
            track.best_quality = seen.quality
            track.crop_jpeg = seen.crop_jpeg
        if track.decided is not None:
            # Votes after the decision keep it alive; only those that decided are stored.
            return None
        track.votes.append(VoteRecord((now_s - track.first_seen_s) * 1e3, vote, seen.quality))
        track.decided = voting.decided(track.cast(), policy)
        if track.decided is None:
            return None
        track.decision = track.decided.decision
        return self._finish(track, track.decision, outcome, now_s)

    def _reset(self, track: _Track, now_s: float) -> None:
        fresh = _Track(self._new_track_id(), track.box, first_seen_s=now_s, last_seen_s=now_s)
        for field in dataclasses.fields(_Track):
            setattr(track, field.name, getattr(fresh, field.name))
        self._tracks[track.track_id] = track

    def _ended(self, outcome: FrameOutcome, now_s: float) -> list[Finished]:
        """Ends tracks that left or ran out of time."""
        finished = []
        policy = self._policy
        for track in list(self._tracks.values()):
            lost = now_s - track.last_seen_s > LOST_AFTER_S
            # Of a face that left counts the time that it was there, not the pause until the next frame.
            until_s = track.last_seen_s if lost else now_s
            late = policy is not None and until_s - track.first_seen_s >= policy.timeout_s
            if lost:
                del self._tracks[track.track_id]
            if policy is None or track.decision is not None or not (lost or late):
                continue
            # A face that passed by without one usable view is no transaction; one that stood
            # there until the time was up is.
            if track.votes or late:
                decision = Decision.NO_DECISION_TIMEOUT if track.votes else Decision.NO_DECISION_QUALITY
                finished.append(self._finish(track, decision, outcome, now_s))
            if late and not lost:
                del self._tracks[track.track_id]
                self._start(track.box, now_s)
        return finished

    def _finish(self, track: _Track, decision: Decision, outcome: FrameOutcome, now_s: float) -> Finished:
        if outcome.active is None or self._policy is None:
            raise ValueError("finish: expected a policy")
        leading, _ = voting.leading(track.cast(), self._policy)
        record = TransactionRecord(
            decision=decision,
            leading=track.decided or leading,
            votes=tuple(track.votes),
            faults=track.faults,
            active=outcome.active,
            quality=track.best_quality,
            crop_jpeg=track.crop_jpeg,
            duration_s=now_s - track.first_seen_s,
            timings=outcome.timings,
            runtime=outcome.runtime,
        )
        return Finished(track.track_id, record)

    def _view(self, track: _Track, seen: SeenFace) -> FaceView:
        leading, count = track.decided, 0
        if self._policy is not None:
            lead, count = voting.leading(track.cast(), self._policy)
            leading = track.decided or lead
        elif track.votes:
            leading = track.votes[-1].vote
        return FaceView(
            track.track_id,
            seen.box,
            track.decision,
            leading,
            count,
            seen.faults[0] if seen.faults else None,
        )


_EMPTY = FrameOutcome(FrameStatus.ANALYSED)
