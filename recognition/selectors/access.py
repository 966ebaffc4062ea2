"""Whether a browser session may still do what it does."""

from __future__ import annotations

import enum
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.utils.crypto import constant_time_compare

USE_LIVE = "recognition.use_live"
USE_CHECKPOINT = "recognition.use_checkpoint"
VIEW_ALERT = "recognition.view_alert"

KIOSK_COOKIE = "faceweb_kiosk"
"""The cookie that a paired kiosk shows instead of a login."""


class Access(enum.Enum):
    """What a check of a browser session says."""

    ALLOWED = enum.auto()
    NOT_AUTHENTICATED = enum.auto()
    NOT_PERMITTED = enum.auto()


def check(*, user_id: int | None, session_key: str | None, permission: str) -> Access:
    """Asks the database whether a session is still logged in and its user still permitted.

    Args:
        user_id: primary key of the user that the session began with.
        session_key: of the browser session.
        permission: "app.codename".

    Returns:
        NOT_AUTHENTICATED also when the session was ended, belongs to another user by now, or its
        user was deactivated.
    """
    if user_id is None or session_key is None:
        return Access.NOT_AUTHENTICATED
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if str(store.get(SESSION_KEY)) != str(user_id):
        return Access.NOT_AUTHENTICATED
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return Access.NOT_AUTHENTICATED
    # Changes with the password, which ends every session that began with the old one.
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    if not any(constant_time_compare(store.get(HASH_SESSION_KEY, ""), known) for known in hashes):
        return Access.NOT_AUTHENTICATED
    # A fresh object: permissions are cached on the one that the connection began with.
    if user.has_perm(permission):
        return Access.ALLOWED
    # Who was deleted a moment ago has lost their permissions with the account, and is to log in.
    is_there = User.objects.filter(pk=user_id, is_active=True).exists()
    return Access.NOT_PERMITTED if is_there else Access.NOT_AUTHENTICATED
