"""Many machines: behind a reverse proxy that speaks HTTPS, with PostgreSQL and Redis servers of their own."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from faceweb import env
from faceweb.settings.base import *
from faceweb.settings.base import ALLOWED_HOSTS

HSTS_S = 30 * 24 * 3600

for _variable in (env.DATABASE_URL, env.HOSTS, env.SECRET_KEY):
    if not _variable.read():
        raise ImproperlyConfigured(f"{_variable.name} must be set: {_variable.meaning}")

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "localhost"]  # the container's own health check
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked by the host itself, over plain HTTP
SECURE_HSTS_SECONDS = HSTS_S
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
