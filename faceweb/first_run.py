"""The first user, without whom nobody could log in."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from faceweb import env
from recognition.services import accounts

ADMIN_NAME = "admin"
GENERATED_PASSWORD_BYTES = 12  # 96 random bits


def ensure_admin(*, say: Callable[[str], None]) -> None:
    """Create the user `admin` in an empty installation, and say how to log in."""
    if User.objects.exists():
        say(f"Log in with your account. A lost password is replaced by `faceweb changepassword {ADMIN_NAME}`.")
        return
    chosen = env.ADMIN_PASSWORD.read()
    password = chosen or secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    try:
        with transaction.atomic():
            admin = User.objects.create_superuser(ADMIN_NAME, password=password)
            accounts.record_user(user=admin, before={}, fields=(), actor=None)
    except IntegrityError:
        say("Another process has just created the first user and printed how to log in.")
        return
    if chosen:
        say(f"First run: log in as {ADMIN_NAME} with the password in {env.ADMIN_PASSWORD.name}.")
    else:
        say(f"First run: log in as {ADMIN_NAME} with the password {password} (shown this once only).")
