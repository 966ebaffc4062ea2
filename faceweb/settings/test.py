"""The tests: the product's own settings, with what would make them slow or dependent on each other taken out."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from faceweb.settings.base import *
from faceweb.settings.base import DATABASES, INSTALLED_APPS

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SECRET_KEY = "known to everybody, and used by tests only"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, where nothing is protected
INSTALLED_APPS = [*INSTALLED_APPS, "tests.quick_flush"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# Connections end with the thread that used them, so that the test database can be dropped.
DATABASES["default"]["OPTIONS"].pop("pool", None)

# Who is erased in a test must not be erased from a restored backup of the developer's own.
FACEWEB_STATE_DIR = Path(tempfile.mkdtemp(prefix="faceweb-test-state-"))
atexit.register(shutil.rmtree, FACEWEB_STATE_DIR, ignore_errors=True)

# Pages must not make a key in the developer's own state directory.
FACEWEB_SIGNING_KEY = functools.partial(Ed25519PrivateKey.from_private_bytes, bytes(32))
