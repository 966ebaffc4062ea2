"""No sequence of frames, claims and changes around a kiosk ends in an accept that it should not, or loses a claim."""

from __future__ import annotations

import dataclasses

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.live.checkpoint import CheckpointSession, Mode, Phase
from recognition.live.looking import Finished
from recognition.services.frames import SearchKind, SearchScope, SeenFace
from recognition.services.transactions import ClaimInProgress
from tests import fakes

CHECKPOINT = 5
FRAME_S = 0.1
ADA, BOB, BANNED = 1, 2, 9
TOO_SMALL = (QualityFault(SampleReason.FACE_TOO_SMALL, 30, 48),)

POLICIES = (
    Policy(version=1, identification_threshold=0.5, verification_threshold=0.4),
    Policy(version=2, identification_threshold=0.8, verification_threshold=0.7, votes_needed=2, votes_of=3),
    Policy(version=3, identification_threshold=0.5, verification_threshold=0.4, margin=0.2, timeout_s=2.0),
)
DIGESTS = ("d" * 64, "e" * 64)


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A face of a frame that was fed, found again by the sample that its candidates name.

    Args:
        who: the one who really stood there.
        scope: what the frame was searched for.
        policy: that it was searched under.
        digest: of the pack that made its vector.
        after_claims: how many claims had been made by then.
        is_alone: whether it was the only usable face of its frame.
    """

    who: int
    scope: SearchScope
    policy: Policy
    digest: str
    after_claims: int
    is_alone: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What a face is like: similarities to Ada, Bob and somebody of the deny list."""

    ada: float
    bob: float
    banned: float
    is_usable: bool = True

    def to(self, person: int) -> float:
        return {ADA: self.ada, BOB: self.bob, BANNED: self.banned}[person]


similarities = st.sampled_from([0.1, 0.1, 0.45, 0.5, 0.65, 0.75, 0.9])
looks = st.builds(
    Look, ada=similarities, bob=similarities, banned=similarities, is_usable=st.sampled_from([True] * 4 + [False])
)
of_ada = st.just(Look(0.9, 0.1, 0.1))
claims = st.sampled_from([ADA, ADA, BOB, None])
people = st.integers(1, 2)
"""Those who stand there; each has a place of their own, so the tracker never takes one for another."""


class Sequences(RuleBasedStateMachine):
    """One kiosk, with whatever may happen to it in whatever order."""

    @initialize(mode=st.sampled_from(Mode), policy=st.sampled_from(POLICIES))
    def opens(self, mode: Mode, policy: Policy) -> None:
        self.session = CheckpointSession(mode, CHECKPOINT)
        self.mode, self.policy, self.digest = mode, policy, DIGESTS[0]
        self.is_open, self.decides = True, True
        self.now_s = 100.0
        self.samples: dict[int, Shown] = {}
        self.made: list[ClaimInProgress] = []
        self.finished: list[Finished] = []
        self.unanswered = 0
        self.scopes = [SearchScope(CHECKPOINT), SearchScope(CHECKPOINT, SearchKind.VERIFY, BOB)]
        self.follows()

    # --- what happens ---

    @rule(who=people, look=looks | of_ada, times=st.integers(1, 4))
    def shows_one(self, who: int, look: Look, times: int) -> None:
        for _ in range(times):
            self.frame({who: look})

    @rule(who=people, frames=st.lists(looks, min_size=2, max_size=6))
    def shows_one_who_changes(self, who: int, frames: list[Look]) -> None:
        for look in frames:
            self.frame({who: look})

    @rule(one=looks | of_ada, other=looks)
    def shows_two(self, one: Look, other: Look) -> None:
        self.frame({1: one, 2: other})

    @rule(
        who=people,
        look=looks | of_ada,
        times=st.integers(1, 4),
        policy=st.none() | st.sampled_from(POLICIES),
        digest=st.none() | st.sampled_from(DIGESTS),
        data=st.data(),
    )
    def shows_late_frames(
        self, who: int, look: Look, times: int, policy: Policy | None, digest: str | None, data: st.DataObject
    ) -> None:
        """They were in the worker while something changed."""
        scope = data.draw(st.sampled_from(self.scopes))
        for _ in range(times):
            self.frame({who: look}, scope=scope, policy=policy, digest=digest)

    @rule(frames=st.integers(1, 15))
    def shows_nobody(self, frames: int) -> None:
        for _ in range(frames):
            self.frame({})

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.1, 3.0, 9.0, 31.0]), asks=st.booleans())
    def waits(self, seconds: float, asks: bool) -> None:
        """With frames that nothing answers, or without any."""
        if asks:
            self.session.scope(self.now_s)
        self.now_s += seconds
        self.keep(self.session.tick(self.now_s))

    @rule()
    def enters_an_id(self) -> None:
        self.keep(self.session.enter_id(self.now_s))

    @precondition(lambda self: self.session.takes_claims)
    @rule(person=claims)
    def claims(self, person: int | None) -> None:
        self.keep(self.session.enter_id(self.now_s))
        claim = ClaimInProgress(person, f"claim {len(self.made)}", pin_ok=None)
        self.session.claim(claim, self.now_s)
        self.made.append(claim)

    @rule()
    def cancels(self) -> None:
        self.keep(self.session.cancel(self.now_s))

    @precondition(lambda self: self.unanswered)
    @rule()
    def is_answered(self) -> None:
        accepted = self.finished[-1].conclusion.decision is Decision.ACCEPT
        self.session.answered(accepted=accepted, now_s=self.now_s)
        self.unanswered = 0

    @rule(policy=st.sampled_from(POLICIES))
    def gets_another_policy(self, policy: Policy) -> None:
        self.policy = policy
        self.follows()

    @rule(digest=st.sampled_from(DIGESTS))
    def gets_another_pack(self, digest: str) -> None:
        self.digest = digest
        self.follows()

    @rule(
        mode=st.sampled_from(Mode),
        is_open=st.sampled_from([True, True, False]),
        decides=st.sampled_from([True, True, False]),
    )
    def is_changed(self, mode: Mode, is_open: bool, decides: bool) -> None:
        self.mode, self.is_open, self.decides = mode, is_open, decides
        self.follows()

    # --- what must hold ---

    @invariant()
    def shows_what_waits_for_an_answer_and_begins_nothing(self) -> None:
        if self.unanswered:
            assert self.unanswered == 1
            assert not self.session.takes_claims
            assert self.session.view(self.now_s).phase in (Phase.LOOKING, Phase.RESULT)

    @invariant()
    def records_each_claim_once(self) -> None:
        recorded = [finished.claim for finished in self.finished if finished.claim is not None]
        assert recorded == self.made[: len(recorded)]
        assert len(self.made) - len(recorded) <= 1

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.keep(self.session.close(self.now_s))
            assert [finished.claim for finished in self.finished if finished.claim is not None] == self.made

    # --- within ---

    def follows(self) -> None:
        policy = self.policy if self.decides else None
        active = fakes.active_pack(policy=policy, digest=self.digest, decides=self.decides)
        self.session.follow(self.mode, active, is_open=self.is_open)

    def frame(
        self,
        faces: dict[int, Look],
        *,
        scope: SearchScope | None = None,
        policy: Policy | None = None,
        digest: str | None = None,
    ) -> None:
        self.now_s += FRAME_S
        wanted = scope or self.session.scope(self.now_s)
        if wanted is None:
            return
        if wanted not in self.scopes and not wanted.reads_codes:
            self.scopes.append(wanted)
        policy, digest = policy or self.policy, digest or self.digest
        active = fakes.active_pack(policy=policy if self.decides else None, digest=digest, decides=self.decides)
        is_alone = sum(look.is_usable for look in faces.values()) == 1
        seen = (
            ()
            if wanted.reads_codes
            else tuple(
                self.face(who, look, Shown(who, wanted, policy, digest, len(self.made), is_alone))
                for who, look in faces.items()
            )
        )
        self.keep(self.session.absorb(fakes.outcome(*seen, active=active), wanted, self.now_s))

    def face(self, who: int, look: Look, shown: Shown) -> SeenFace:
        where = fakes.box(x=400 * who)
        tracks = {hint.box: hint.track_id for hint in self.session.hints(self.now_s)}
        sample = len(self.samples) + 1
        self.samples[sample] = shown

        def ranked(*numbers: int) -> CandidateList:
            barred = {BANNED: Bar.DENY_LIST}
            found = [Candidate(each, f"person {each}", sample, look.to(each), barred.get(each)) for each in numbers]
            return CandidateList(tuple(sorted(found, key=lambda each: -each.similarity)))

        is_claim = shown.scope.kind is SearchKind.VERIFY
        claimed = () if shown.scope.person_id is None else (shown.scope.person_id,)
        searched = ranked(*claimed) if is_claim else ranked(ADA, BOB, BANNED)
        return SeenFace(
            tracks.get(where),
            where,
            fakes.quality(),
            () if look.is_usable else TOO_SMALL,
            searched if look.is_usable else None,
            b"a crop",
            ranked(BANNED) if is_claim and look.is_usable else None,
        )

    def keep(self, finished: Finished | None) -> None:
        if finished is None:
            return
        self.finished.append(finished)
        if finished.is_shown:
            self.unanswered += 1
        conclusion = finished.conclusion
        event(f"{conclusion.decision.value}{' of a claim' if conclusion.is_claim else ''}")
        assert conclusion.is_claim is (finished.claim is not None)
        if conclusion.decision is Decision.ACCEPT:
            self.is_borne_out(finished)

    def is_borne_out(self, finished: Finished) -> None:
        """An accept, held against what was really shown."""
        conclusion, claim, policy = finished.conclusion, finished.claim, finished.active.policy
        assert policy is not None
        assert finished.is_shown
        assert conclusion.leading is not None
        assert conclusion.leading.best is not None
        person = conclusion.leading.best.person_id
        cast = [record.vote for record in conclusion.votes]
        assert not any(vote.is_deny_list_hit for vote in cast)
        agreeing = [vote for vote in cast[-policy.votes_of :] if vote.answer == (Decision.ACCEPT, person)]
        assert len(agreeing) >= policy.votes_needed
        limit = policy.identification_threshold if claim is None else policy.verification_threshold
        assert all(vote.best is not None and vote.best.similarity >= limit for vote in agreeing)
        if claim is None:
            assert all(vote.margin is not None and vote.margin >= policy.margin for vote in agreeing)
        else:
            assert person == claim.person_id
        shown = [self.samples[vote.best.sample_id] for vote in cast if vote.best is not None]
        assert len(shown) == len(cast)
        scope = SearchScope(CHECKPOINT)
        if claim is not None:
            scope = SearchScope(CHECKPOINT, SearchKind.VERIFY, claim.person_id)
        for each in shown:
            assert each.scope == scope
            assert (each.policy, each.digest) == (policy, finished.active.digest)
            assert each.is_alone
            assert each.who == shown[0].who
            assert each.after_claims == len(self.made)


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=400, stateful_step_count=40)
