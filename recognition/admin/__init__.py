"""The admin: enrolment, events, policy and packs; importing it registers every page."""

from recognition.admin import (
    checkpoints,
    doubts,
    duty,
    erasures,
    events,
    imports,
    jobs,
    packs,
    people,
    policies,
    retention,
    reviews,
    samples,
    unknowns,
    users,
    videos,
)

__all__ = [
    "checkpoints",
    "doubts",
    "duty",
    "erasures",
    "events",
    "imports",
    "jobs",
    "packs",
    "people",
    "policies",
    "retention",
    "reviews",
    "samples",
    "unknowns",
    "users",
    "videos",
]
