"""The admin: enrolment, events, policy and packs; importing it registers every page."""

from recognition.admin import events, packs, people, policies, users

__all__ = ["events", "packs", "people", "policies", "users"]
