"""After too many failed claims of one person at one checkpoint: wait, wait longer, then ask staff."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable

from recognition.decision.policy import Policy
from recognition.decision.standing import require_aware
from recognition.decision.verdict import Decision, Reason, TransactionReason

_MOST_DOUBLINGS = 62
"""Keeps the power below what a float overflows at; the longest delay is reached long before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Lockout:
    """The failed claims of one person at one checkpoint, in a row.

    Args:
        failures: since the last accept or lift.
        locked_until: first moment at which the person may be claimed again; None without a delay.
        is_stopped: whether staff must lift the lock.

    Raises:
        ValueError: for a negative number of failures, or a time without a time zone.
    """

    failures: int = 0
    locked_until: dt.datetime | None = None
    is_stopped: bool = False

    def __post_init__(self) -> None:
        if self.failures < 0:
            raise ValueError(f"failures: expected 0 or more, got {self.failures}")
        if self.locked_until is not None:
            require_aware("locked_until", self.locked_until)

    def state_at(self, now: dt.datetime) -> TransactionReason | None:
        """Why the person cannot be claimed now: `LOCKED_UNTIL` or `LOCKED_BY_STOP`; None when they can.

        Raises:
            ValueError: for a time without a time zone.
        """
        require_aware("now", now)
        if self.is_stopped:
            return TransactionReason.LOCKED_BY_STOP
        if self.locked_until is not None and now < self.locked_until:
            return TransactionReason.LOCKED_UNTIL
        return None

    def after_failure(self, now: dt.datetime, policy: Policy) -> Lockout:
        """The state after one more failed claim; see `counts_as_failure` for which those are.

        While locked nothing counts, so that attempts during a delay do not make it longer.

        Args:
            now: when it failed, with a time zone.
            policy: the delays and limits that hold now.

        Raises:
            ValueError: for a time without a time zone.
        """
        if self.state_at(now) is not None:
            return self
        failures = self.failures + 1
        if failures >= policy.attempts_before_stop:
            return Lockout(failures, None, is_stopped=True)
        if failures < policy.attempts_before_delay:
            return Lockout(failures)
        doublings = min(failures - policy.attempts_before_delay, _MOST_DOUBLINGS)
        delay_s = min(policy.first_delay_s * 2.0**doublings, policy.longest_delay_s)
        return Lockout(failures, now + dt.timedelta(seconds=delay_s))

    def after_accept(self) -> Lockout:
        """The state after an accept: nothing is held against the person any more.

        A stop stays. It came from another transaction at the same time, and is for staff to lift.
        """
        return self if self.is_stopped else Lockout()

    def lifted(self) -> Lockout:
        """The state after staff lifted the lock."""
        return Lockout()


_NOTHING_TO_COMPARE = frozenset({TransactionReason.NO_TEMPLATE, TransactionReason.PIN_NOT_SET})
"""What is missing in the database, and is the same for the right person and for everybody else."""

_NOT_THIS_PERSON = frozenset({TransactionReason.BELOW_THRESHOLD, TransactionReason.PIN_WRONG})


def counts_as_failure(decision: Decision, reasons: Iterable[Reason], *, is_claim: bool) -> bool:
    """Whether a transaction counts against the person that it claimed.

    Only a claim that ended in "not this person" does, a wrong or missing PIN included, because only that is what
    somebody with another's card produces. Not a stranger without a claim, or anybody could lock a door
    by walking past. Not a transaction without a decision, or bad light would lock its victim out. Not
    "not allowed", because the face was right, or the one to be refused was found. Not a person without a
    template or a PIN: the right one fails too, and a switch of the model pack would lock everybody out. And not
    a transaction that was locked out itself, or a lock would never end.

    Args:
        decision: how it ended.
        reasons: why.
        is_claim: whether somebody was claimed.
    """
    if not is_claim or decision is not Decision.REJECT_NO_MATCH:
        return False
    codes = {reason.code for reason in reasons}
    # A face or a PIN that was wrong counts, whatever was missing beside it; so does a reason not thought of here.
    return bool(codes & _NOT_THIS_PERSON) or not codes & _NOTHING_TO_COMPARE
