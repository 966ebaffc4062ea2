"""The real log decided anew under other thresholds: whom that would have let in, and whom not."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from recognition.decision import replay, stored_votes
from recognition.decision.matching import Strategy
from recognition.decision.policy import Policy
from recognition.decision.replay import CannotReplay, Change, LoggedTransaction, Outcome, Replayed
from recognition.decision.standing import Bar, Standing
from recognition.decision.verdict import Decision, Reason
from recognition.models import Checkpoint, EventPlace, ModelPack, RecognitionEvent, ThresholdPolicy
from recognition.selectors import checkpoints

MOST_EVENTS = 5_000
"""Events that are decided anew at a time, the newest; a page waits for a second or two."""

_STORED = ("identification_threshold", "verification_threshold", "margin", "votes_needed", "votes_of")

_READ = ("kind", "decision", "checkpoint", "claimed_person", "best_person", "votes", "thresholds", "reasons")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """The thresholds that are tried.

    Args:
        identification_threshold: similarity from which a search names a person, -1..1.
        verification_threshold: similarity from which a claim is confirmed, -1..1.
        margin: least gap between the best person and the next, 0..2.
    """

    identification_threshold: float
    verification_threshold: float
    margin: float


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedEvent:
    """An event that would have ended otherwise.

    Args:
        event_id: primary key.
        decided_at: when it ended.
        place: where.
        then: how it ended.
        after: how it would have.
        change: what that means.
    """

    event_id: int
    decided_at: dt.datetime
    place: EventPlace
    then: Outcome
    after: Outcome
    change: Change


@dataclasses.dataclass(frozen=True, slots=True)
class WhatIf:
    """What came of it.

    Args:
        changed: events that would have ended otherwise, the newest first.
        counts: events by what changes, those without a change among them.
        other_pack: events of the time that another model pack decided.
        other_strategy: events that were compared in another way than the policy in force does.
        not_replayed: events whose votes do not lead to what was stored.
        older: events of the time that are beyond `MOST_EVENTS`.
    """

    changed: tuple[ChangedEvent, ...]
    counts: Mapping[Change, int]
    other_pack: int
    other_strategy: int
    not_replayed: int
    older: int

    @property
    def replayed(self) -> int:
        """Events that were decided anew."""
        return sum(self.counts.values())


def what_if(
    wanted: Wanted, *, pack: ModelPack, checkpoint: Checkpoint | None, strategy: str, since: dt.datetime
) -> WhatIf:
    """Decides the log anew.

    Args:
        wanted: the thresholds to decide by.
        pack: the active one; similarities of another say nothing here.
        checkpoint: whose events; None for everywhere that has no policy of its own.
        strategy: of the policy in force; similarities to a mean are on another scale than those to samples.
        since: the first moment that counts.
    """
    of_pack = Q(pack=pack)
    comparable = of_pack & (Q(thresholds__strategy=strategy) | Q(thresholds__strategy__isnull=True))
    everything = _of_scope(pack, checkpoint).filter(decided_at__gte=since)
    newest = everything.filter(comparable).order_by("-decided_at", "-pk")
    events = list(newest.values("pk", "decided_at", "policy", *_READ)[:MOST_EVENTS])
    counted = everything.aggregate(
        all=Count("pk"), of_pack=Count("pk", filter=of_pack), comparable=Count("pk", filter=comparable)
    )
    changed, counts, not_replayed = _changes(wanted, events)
    return WhatIf(
        changed=changed,
        counts=counts,
        other_pack=counted["all"] - counted["of_pack"],
        other_strategy=counted["of_pack"] - counted["comparable"],
        not_replayed=not_replayed,
        older=counted["comparable"] - len(events),
    )


def _of_scope(pack: ModelPack, checkpoint: Checkpoint | None) -> QuerySet[RecognitionEvent]:
    if checkpoint is not None:
        return RecognitionEvent.objects.filter(checkpoint=checkpoint)
    active = ThresholdPolicy.objects.filter(pack=pack, state=ThresholdPolicy.State.ACTIVE)
    own = active.filter(checkpoint__isnull=False).values("checkpoint")
    return RecognitionEvent.objects.filter(Q(checkpoint=None) | ~Q(checkpoint__in=own))


def _changes(
    wanted: Wanted, events: Sequence[Mapping[str, Any]]
) -> tuple[tuple[ChangedEvent, ...], Mapping[Change, int], int]:
    log = _Log(events)
    changed: list[ChangedEvent] = []
    counts: collections.Counter[Change] = collections.Counter()
    not_replayed = 0
    for event in log.events:
        try:
            found = log.replayed(event, wanted)
        except CannotReplay:
            not_replayed += 1
            continue
        counts[found.change] += 1
        if found.change not in (Change.NONE, Change.OTHER_REFUSAL):
            place = EventPlace.of(log.places.get(event["checkpoint"]), event["reasons"])
            changed.append(ChangedEvent(event["pk"], event["decided_at"], place, found.then, found.after, found.change))
    return tuple(changed), counts, not_replayed


class _Log:
    """Some events, with what is read of the database once for all of them."""

    def __init__(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.events = events
        points = Checkpoint.objects.in_bulk({event["checkpoint"] for event in events} - {None})
        self.places = {number: point.name for number, point in points.items()}
        self._admitted = {number: checkpoints.admitted_groups(point) for number, point in points.items()}
        versions = ThresholdPolicy.objects.in_bulk({event["policy"] for event in events})
        self._policies = {number: version.as_policy() for number, version in versions.items()}
        self._standings = checkpoints.standings(_people(events))
        self._bars = {number: bar for number, each in self._standings.items() if (bar := _bar(each)) is not None}

    def replayed(self, event: Mapping[str, Any], wanted: Wanted) -> Replayed:
        """How it ended and how it would have.

        Raises:
            CannotReplay: when its votes do not lead to what was stored.
        """
        logged = self._logged(event)
        return replay.replay(
            logged,
            _instead_of(logged.policy, wanted),
            standings=self._standings,
            allowed_groups=self._admitted.get(event["checkpoint"]),
        )

    def _logged(self, event: Mapping[str, Any]) -> LoggedTransaction:
        is_claim = event["kind"] == RecognitionEvent.Kind.VERIFICATION
        reasons = tuple(map(Reason.from_json, event["reasons"]))
        policy = _policy_then(self._policies[event["policy"]], tuple(event["thresholds"].items()))
        votes, set_aside = stored_votes.read(
            event["votes"],
            policy=policy,
            is_claim=is_claim,
            reasons=reasons,
            best_person=event["best_person"],
            bars=self._bars,
        )
        return LoggedTransaction(
            decision=Decision(event["decision"]),
            is_claim=is_claim,
            is_concluded=event["checkpoint"] is not None,
            votes=votes,
            set_aside=set_aside,
            reasons=reasons,
            claimed_person=event["claimed_person"],
            policy=policy,
            decided_at=event["decided_at"],
        )


@functools.lru_cache(maxsize=64)
def _instead_of(policy: Policy, wanted: Wanted) -> Policy:
    """A policy with these thresholds, and everything else as it was."""
    return dataclasses.replace(policy, **dataclasses.asdict(wanted))


@functools.lru_cache(maxsize=64)
def _policy_then(version: Policy, thresholds: tuple[tuple[str, Any], ...]) -> Policy:
    stored = dict(thresholds)
    numbers = {name: stored[name] for name in _STORED if name in stored}
    strategy = stored.get("strategy")
    return dataclasses.replace(version, **numbers, strategy=Strategy(strategy) if strategy else version.strategy)


def _people(events: Iterable[Mapping[str, Any]]) -> set[int]:
    votes = [vote for event in events for vote in event["votes"]]
    named = {vote[key] for vote in votes for key in ("best_person", "runner_up")}
    return {*named, *(other["person"] for vote in votes for other in vote.get("others", ()))} - {None}


def _bar(standing: Standing) -> Bar | None:
    """What stands against somebody whatever the day and the place."""
    if standing.is_deny_listed:
        return Bar.DENY_LIST
    return Bar.SUSPENDED if standing.is_suspended else None
