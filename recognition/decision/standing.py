"""Whether a person may be accepted at all, whatever their face says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum


class Bar(enum.StrEnum):
    """Why a person is not admitted although they were recognised; the gravest first."""

    DENY_LIST = "deny_list"
    SUSPENDED = "suspended"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    WRONG_GROUP = "wrong_group"


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of a person now.

    Args:
        person_id: primary key of the person.
        is_deny_listed: whether they are to be refused everywhere, with an alert.
        is_suspended: whether they are refused until further notice.
        valid_from: first moment at which they are admitted; None for always.
        valid_until: first moment at which they no longer are; None for never.
        group_ids: primary keys of the groups that they belong to.

    Raises:
        ValueError: for a time without a time zone.
    """

    person_id: int
    is_deny_listed: bool
    is_suspended: bool
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    group_ids: frozenset[int]

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until"):
            value = getattr(self, name)
            if value is not None:
                require_aware(name, value)

    def bars(self, now: dt.datetime, allowed_groups: frozenset[int] | None) -> tuple[Bar, ...]:
        """Everything that keeps the person out, the gravest first; empty when they are admitted.

        Args:
            now: with a time zone.
            allowed_groups: primary keys of the groups that are admitted; None admits everyone, and an
                empty set nobody.

        Raises:
            ValueError: for a time without a time zone.
        """
        require_aware("now", now)
        holds = {
            Bar.DENY_LIST: self.is_deny_listed,
            Bar.SUSPENDED: self.is_suspended,
            Bar.NOT_YET_VALID: self.valid_from is not None and now < self.valid_from,
            Bar.NO_LONGER_VALID: self.valid_until is not None and now >= self.valid_until,
            Bar.WRONG_GROUP: allowed_groups is not None and self.group_ids.isdisjoint(allowed_groups),
        }
        return tuple(bar for bar in Bar if holds[bar])


def require_aware(name: str, value: dt.datetime) -> None:
    """Refuses a time that does not say where on Earth it holds.

    Raises:
        ValueError: naming the argument.
    """
    if value.utcoffset() is None:
        raise ValueError(f"{name}: expected a time with a time zone, got {value.isoformat()}")
