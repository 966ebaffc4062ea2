"""What happens before one kiosk, as a pure state machine.

Time comes in as an argument, frames as a worker's outcome; what to show, and what is to be concluded and
stored, comes out. The phases::

    identify   READY --a face comes near--> LOOKING --> RESULT --the face leaves--> READY
    verify     CLAIM --a claim------------> LOOKING --> RESULT -------------------> CLAIM
    both       READY, and CLAIM while somebody enters an id
"""

from __future__ import annotations

import dataclasses
import enum
import math

from recognition.decision.transaction import Instruction
from recognition.decision.verdict import Decision, TransactionReason
from recognition.live.looking import Finished, Followed, Looking
from recognition.live.patience import Patience
from recognition.live.presence import Presence
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameOutcome, SearchKind, SearchScope, TrackHint
from recognition.services.transactions import ClaimInProgress

SHOWN_S = 4.0
"""How long a result is shown: read twice by a slow reader, and no queue waits for it."""

ENTRY_TIMEOUT_S = 30.0
"""An id that is begun and not entered for so long is not entered any more."""

CODES_EVERY_S = 0.4
"""How often faces make way for printed codes, where either may come."""

SAME_CODE_AFTER_S = 5.0
"""A card that stays before the camera is read once in this time."""

NEAR = 0.5
"""Share of the policy's smallest face from which somebody is taken to want something of the kiosk."""


class Mode(enum.StrEnum):
    """See `models.Checkpoint.Mode`."""

    IDENTIFY = "identify"
    VERIFY = "verify"
    BOTH = "both"


class Phase(enum.StrEnum):
    """What the kiosk does now."""

    READY = "ready"
    CLAIM = "claim"
    LOOKING = "looking"
    RESULT = "result"


STEP_AWAY = "step_away"
"""What to do after a refusal to be looked at once more; beside those of `Instruction`."""


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """What the page shows of it.

    Args:
        phase: where it stands.
        instruction: of `Instruction` or `STEP_AWAY`; empty when there is nothing to do.
        progress: of the votes that are needed, 0..1.
        seconds_left: until the time is up; None where no time runs.
        reads_codes: whether frames are searched for printed codes alone.
    """

    phase: Phase
    instruction: str = ""
    progress: float = 0.0
    seconds_left: int | None = None
    reads_codes: bool = False


class CheckpointSession:
    """One kiosk, for as long as its page is open."""

    def __init__(self, mode: Mode, checkpoint_id: int) -> None:
        """Begins with nobody there, and with nothing that decides until `follow` says what does."""
        self._mode = mode
        self._checkpoint_id = checkpoint_id
        self._active: ActivePack | None = None
        self._is_open = False
        self._presence = Presence()
        self._looking: Looking | None = None
        self._waits_for_answer = False
        self._was_unusable = False
        self._patience = Patience()
        self._entering_until_s: float | None = None
        self._shown_until_s = -math.inf
        self._codes_read_s = -math.inf
        self._last_code = ("", -math.inf)

    # --- what holds ---

    def follow(self, mode: Mode, active: ActivePack, *, is_open: bool) -> None:
        """Takes in what the database says of the checkpoint now."""
        self._is_open, self._active = is_open, active
        if mode is not self._mode:
            self._mode, self._entering_until_s = mode, None

    @property
    def decides(self) -> bool:
        """Whether anybody can be decided about: the checkpoint is in use and there are thresholds."""
        return self._is_open and self._active is not None and self._active.policy is not None

    @property
    def takes_claims(self) -> bool:
        """Whether a claim may be made now."""
        if not self.decides or self._mode is Mode.IDENTIFY or self._waits_for_answer:
            return False
        return self._looking is None or self._looking.claim is None

    def view(self, now_s: float) -> View:
        """What to show now."""
        looking, phase = self._looking, self._phase(now_s)
        if phase is Phase.READY:
            return View(phase, STEP_AWAY if self._presence.held(now_s) is not None else "")
        if phase is not Phase.LOOKING:
            return View(phase, reads_codes=phase is Phase.CLAIM)
        if looking is None or self._waits_for_answer:
            return View(phase, Instruction.KEEP_LOOKING, progress=1.0)
        left_s = math.ceil(looking.seconds_left(now_s))
        return View(phase, looking.instruction(now_s), looking.progress, left_s)

    def _phase(self, now_s: float) -> Phase:
        if now_s < self._shown_until_s:
            return Phase.RESULT
        if self._looking is not None or self._waits_for_answer:
            return Phase.LOOKING
        if self._mode is Mode.VERIFY or self._entering_until_s is not None:
            return Phase.CLAIM
        return Phase.READY

    # --- what the page says ---

    def enter_id(self, now_s: float) -> Finished | None:
        """Somebody begins to enter an id: nobody is identified meanwhile.

        Returns:
            What had begun to be looked at.
        """
        if not self.takes_claims:
            return None
        abandoned = self._abandon(now_s)
        self._shown_until_s = -math.inf
        self._entering_until_s = now_s + ENTRY_TIMEOUT_S
        return abandoned

    def claim(self, claim: ClaimInProgress, now_s: float) -> None:
        """Begins to verify a claim; `enter_id` comes before it.

        Raises:
            ValueError: when no claim may be made now; ask `takes_claims` first.
        """
        if not self.takes_claims or self._looking is not None:
            raise ValueError("claim: expected a kiosk that takes claims, and nobody who is looked at")
        self._shown_until_s, self._entering_until_s = -math.inf, None
        self._begin(claim, now_s)

    def cancel(self, now_s: float) -> Finished | None:
        """The id is not entered, or the claim taken back.

        A claim that a face has voted on runs to its end: whoever could take it back after each look would
        have as many tries as they like.

        Returns:
            The claim that was taken back.
        """
        self._entering_until_s = None
        looking = self._looking
        if looking is None or looking.claim is None or looking.has_voted:
            return None
        return self._abandon(now_s)

    def close(self, now_s: float, because: TransactionReason = TransactionReason.LEFT) -> Finished | None:
        """Ends the session; what was begun and voted on, or claimed, ends without a decision.

        Args:
            now_s: the same clock as everywhere.
            because: see `Transaction.abandoned`.
        """
        return self._abandon(now_s, because)

    # --- frames and time ---

    def scope(self, now_s: float) -> SearchScope | None:
        """What the next frame, which a worker gets now, is looked at for; None when nothing would be done with it."""
        if not self.decides:
            return None
        phase = self._phase(now_s)
        if phase is Phase.CLAIM or self._is_time_for_codes(phase, now_s):
            self._codes_read_s = now_s
            return SearchScope(self._checkpoint_id, reads_codes=True)
        if phase is Phase.RESULT and self._mode is Mode.VERIFY:
            return None
        if self._looking is not None and not self._waits_for_answer:
            self._looking.asked(now_s)
        return self._face_scope()

    def hints(self, now_s: float) -> tuple[TrackHint, ...]:
        """What a worker must know of the faces for the next frame; while nobody is decided about none is due."""
        return self._presence.hints(now_s, due=self._looking is not None and not self._waits_for_answer)

    def absorb(self, outcome: FrameOutcome, scope: SearchScope, now_s: float) -> Finished | None:
        """Takes a worker's outcome in.

        Args:
            outcome: of an analysed frame.
            scope: what the frame was looked at for.
            now_s: the same clock as everywhere.

        Returns:
            The transaction that it ended.

        Raises:
            ValueError: for an outcome that was not analysed.
        """
        if outcome.active is None:
            raise ValueError(f"absorb: expected an analysed frame, got {outcome.status}")
        if scope.reads_codes:
            return self.tick(now_s)
        self._active = outcome.active
        faces = self._presence.follow(outcome.faces, now_s)
        # A frame that was in the worker while a claim came was searched for somebody else.
        if self._waits_for_answer or not self.decides or scope != self._face_scope():
            return self.tick(now_s)
        self._maybe_begin(faces, now_s)
        if self._looking is None:
            return None
        return self._finish(self._looking.see(faces, outcome, now_s)) or self.tick(now_s)

    def scanned(self, outcome: FrameOutcome, now_s: float) -> str | None:
        """The code that a frame shows, unless it is the one that was read a moment ago."""
        if not outcome.codes or not self.takes_claims:
            return None
        code, (last, last_s) = outcome.codes[0], self._last_code
        self._last_code = code, now_s
        return None if code == last and now_s - last_s < SAME_CODE_AFTER_S else code

    def tick(self, now_s: float) -> Finished | None:
        """Lets time pass without a frame.

        Returns:
            The transaction whose time is up, or whose face has left.
        """
        if self._entering_until_s is not None and now_s >= self._entering_until_s:
            self._entering_until_s = None
        looking = self._looking
        if looking is None or self._waits_for_answer:
            return None
        if not self.decides:
            # In the middle of it.
            reason = TransactionReason
            return self._abandon(now_s, reason.NO_THRESHOLDS if self._is_open else reason.OUT_OF_USE)
        finished = self._finish(looking.wait(now_s, nobody_is_there=self._presence.is_empty(now_s)))
        if finished is None and looking.is_over:
            self._looking = None
        return finished

    def answered(self, *, accepted: bool, now_s: float) -> None:
        """The transaction is stored, or could not be: its answer is shown from now on."""
        track = self._presence.present(self._looking.voted_track if self._looking is not None else None)
        pause_s = self._patience.pause_s(track, was_unusable=self._was_unusable)
        self._presence.hold(track, now_s, until_s=math.inf if accepted else now_s + pause_s)
        self._looking, self._waits_for_answer, self._entering_until_s = None, False, None
        self._was_unusable = False
        self._shown_until_s = now_s + SHOWN_S

    # --- within ---

    def _face_scope(self) -> SearchScope:
        claim = self._looking.claim if self._looking is not None else None
        if claim is None:
            return SearchScope(self._checkpoint_id, SearchKind.IDENTIFY)
        return SearchScope(self._checkpoint_id, SearchKind.VERIFY, claim.person_id)

    def _is_time_for_codes(self, phase: Phase, now_s: float) -> bool:
        either = phase is Phase.READY or (phase is Phase.LOOKING and self.takes_claims)
        return self._mode is Mode.BOTH and either and now_s - self._codes_read_s >= CODES_EVERY_S

    def _maybe_begin(self, faces: Followed, now_s: float) -> None:
        """Begins to identify whoever has come near."""
        policy = self._active.policy if self._active is not None else None
        if policy is None or self._phase(now_s) is not Phase.READY:
            return
        held = self._presence.held(now_s)
        if held is not None and not self._patience.is_worn_by(held):
            return
        near_px = NEAR * policy.gates.min_face_size_px
        for track, face in faces:
            # Beside a poster people are looked at as ever, and so is whoever has moved into the light.
            if min(face.box.width, face.box.height) >= near_px and (track != held or not face.faults):
                self._begin(None, now_s)
                return

    def _begin(self, claim: ClaimInProgress | None, now_s: float) -> None:
        active = self._active
        if active is None or active.policy is None:
            raise ValueError("begin: expected a policy")
        self._looking = Looking(claim, active, active.policy, now_s)

    def _finish(self, finished: Finished | None) -> Finished | None:
        if finished is not None:
            self._waits_for_answer = True
            self._was_unusable = finished.conclusion.decision is Decision.NO_DECISION_QUALITY
        return finished

    def _abandon(self, now_s: float, because: TransactionReason = TransactionReason.LEFT) -> Finished | None:
        looking = self._looking
        if looking is None or self._waits_for_answer:
            return None
        self._looking = None
        return looking.abandon(now_s, because)
