"""What every way of running the product shares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from faceweb import embedded, env, look, postgres_process, signing, state

env.forbid_telemetry()

BASE_DIR = state.PROJECT_DIR

DEBUG = False
ALLOWED_HOSTS = list(env.HOSTS.read())
CSRF_TRUSTED_ORIGINS = list(env.ORIGINS.read())

INSTALLED_APPS = [
    "daphne",  # before staticfiles: `runserver` becomes an ASGI server
    "unfold",  # before admin: its templates replace the admin's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",  # makes `OpClass` known to index expressions
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "procrastinate.contrib.django",  # before ours, which takes its pages out of the admin
    "recognition.apps.RecognitionConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "faceweb.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # a view is open to all only where it says so
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a log-in that is locked out into a page that says so
]

ROOT_URLCONF = "faceweb.urls"
ASGI_APPLICATION = "faceweb.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

# --- database ---------------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
POOL_TIMEOUT_S = 3
"""How long a page waits for a connection; while the database is away, every page waits so long for its error."""

RECONNECT_TIMEOUT_S = 2
"""How long the pool tries to replace one connection. It waits twice as long after each try, so with its default of five
minutes it would come back minutes after the database; whoever wants a connection next makes it try anew."""

AWAY_OPTIONS = {"connect_timeout": 3, "tcp_user_timeout": 5000}
"""Seconds until a host that does not answer is away, and milliseconds until one that fell silent is."""

PREPARE_THRESHOLD = 5
"""A search that has run this often on a connection keeps its plan: `selectors.gallery`. The ORM's cursors never do."""


def _database() -> dict[str, Any]:
    url = env.DATABASE_URL.read()
    if url:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
        if database["ENGINE"] != "django.db.backends.postgresql":
            raise ImproperlyConfigured(f"{env.DATABASE_URL.name}: expected postgresql://..., the vectors need pgvector")
    else:
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": str(embedded.place().socket()),
            "NAME": postgres_process.DATABASE,
            "USER": postgres_process.ROLE,
            # A pooler between us and another server may hand a plan's connection to somebody else; here is none.
            "OPTIONS": {"prepare_threshold": PREPARE_THRESHOLD},
        }
    database["CONN_MAX_AGE"] = 0  # the pool keeps the connections; Django must give each one back
    database["CONN_HEALTH_CHECKS"] = True  # after a restart of the database every connection of the pool is broken
    most = env.DATABASE_CONNECTIONS.read()
    database["OPTIONS"] = {
        **AWAY_OPTIONS,
        **database.get("OPTIONS", {}),
    }
    if most:
        database["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": most,
            "timeout": POOL_TIMEOUT_S,
            "reconnect_timeout": RECONNECT_TIMEOUT_S,
        }
    return database


DATABASES = {"default": _database()}

# --- channels ---------------------------------------------------------------------------------------------------------


def _channel_layer() -> dict[str, Any]:
    url = env.REDIS_URL.read()
    if not url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # channels-redis blocks on reads: redis-py's default time-out of 5 s and its 100 connections would end that.
    return {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": url, "socket_timeout": None, "max_connections": 5000}]},
    }


CHANNEL_LAYERS = {"default": _channel_layer()}

# --- who may do what --------------------------------------------------------------------------------------------------

SECRET_KEY = state.secret_key()

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
]

# Failed log-ins are counted for each name and address together, so nobody can lock somebody else out from elsewhere.
# They are kept in the database, which all web processes share, and forgotten when they count no more.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = dt.timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying on does not lengthen it
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_CLIENT_IP_CALLABLE = "faceweb.throttling.client_address"
AXES_LOCKOUT_CALLABLE = "faceweb.throttling.locked_out"
AXES_ENABLE_ADMIN = False  # its pages have another look, and nothing in them is needed
AXES_DISABLE_ACCESS_LOG = True  # successful log-ins are not kept
AXES_VERBOSE = False

# Cookies stay with HTTPS where browsers use it; on plain HTTP a secure cookie would never come back.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.HTTPS.read()
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
FACEWEB_TRUST_PROXY = env.TRUST_PROXY.read()
if FACEWEB_TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

FACEWEB_METRICS_TOKEN = env.METRICS_TOKEN.read()

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],  # covers the websocket of the same origin (CSP level 3)
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# In the admin and at / only: Unfold's Alpine evaluates expressions written in attributes, its templates hold styles.
ADMIN_CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        **CONTENT_SECURITY_POLICY["DIRECTIVES"],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
    }
}

# --- jobs -------------------------------------------------------------------------------------------------------------

# Jobs are deferred by name, so that web processes load none of their code; a jobs process imports it by itself.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""

# --- languages, files, logs -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Straight from the sources: no collectstatic step that can be forgotten, on one machine or in a container.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 60  # seconds; the names carry no digest, so browsers ask again soon (and get a 304)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": f"faceweb.logs.{env.LOG_FORMAT.read().title()}Formatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": env.LOG_LEVEL.read().upper()},
    "loggers": {
        "django": {"handlers": [], "level": "NOTSET", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "daphne": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},  # it tells of every job twice; the jobs page does
        "axes": {"level": "WARNING"},  # names and addresses are masked in what it says
    },
}

UNFOLD = look.UNFOLD

# --- recognition: read through recognition/conf.py --------------------------------------------------------------------

FACEWEB_RUNTIME = env.RUNTIME.read()
FACEWEB_REDIS_URL = env.REDIS_URL.read()
FACEWEB_WORKER_THREADS = env.WORKER_THREADS.read()
FACEWEB_TILTED_FRAMES = env.TILTED_FRAMES.read()
FACEWEB_POLICY_APPROVAL = env.POLICY_APPROVAL.read()
FACEWEB_LEGAL_BASIS = env.LEGAL_BASIS.read()
FACEWEB_SIGNING_KEY = signing.key
FACEWEB_ANCHOR_FILE = env.ANCHOR_FILE.read()
FACEWEB_ANCHOR_URL = env.ANCHOR_URL.read()
FACEWEB_STATE_DIR = state.location()
FACEWEB_CACHE_DIR = state.cache_directory()
FACEWEB_MODEL_DIR = env.MODEL_DIR.read()
FACEWEB_IMPORT_MAX_MB = env.IMPORT_MAX_MB.read()
FACEWEB_VIDEO_MAX_MB = env.VIDEO_MAX_MB.read()
FACEWEB_VIDEO_MAX_MINUTES = env.VIDEO_MAX_MINUTES.read()
FACEWEB_VIDEO_DAYS = env.VIDEO_DAYS.read()
FACEWEB_EXACT_SEARCH_MAX_ROWS = env.EXACT_SEARCH_MAX_ROWS.read()
