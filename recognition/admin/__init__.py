"""The admin: enrolment, events, policy and packs; importing it registers every page."""

from recognition.admin import checkpoints, duty, events, jobs, packs, people, policies, samples, users

__all__ = ["checkpoints", "duty", "events", "jobs", "packs", "people", "policies", "samples", "users"]
