"""One machine, the default: embedded PostgreSQL, everything in one process, safe to use as it is."""

from __future__ import annotations

from faceweb.settings.base import *
from faceweb.settings.base import ALLOWED_HOSTS

if not ALLOWED_HOSTS:  # a command other than `up`: nobody told
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
