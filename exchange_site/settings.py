"""Settings of every process of the exchange.

Everything that differs between a laptop and production comes from the environment
(`docs/OPERATIONS.md` lists the variables). An empty one counts as not set: containers are given
all of them. With none set, the addresses are those of the servers that `make run` embeds under
`EXCHANGE_HOME`.
"""

import json
import os
import socket
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.home import ExchangeHome

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = ExchangeHome.from_environment(os.environ, default=BASE_DIR / ".run")
ADDRESSES = ServerAddresses.from_environment(os.environ, HOME)

# PRODUCTION=1: HTTPS only, and every secret must come from the environment.
PRODUCTION = os.environ.get("PRODUCTION") == "1"
DEBUG = False
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("PRODUCTION=1 needs SECRET_KEY in the environment.")
    SECRET_KEY = HOME.secret_key()
ALLOWED_HOSTS = (os.environ.get("ALLOWED_HOSTS") or "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_prometheus",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "timescale",
    "exchange_site",
    "accounts",
    "engine",
    "markets",
    "realtime",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "exchange_site.security.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "exchange_site.urls"
ASGI_APPLICATION = "exchange_site.asgi.application"
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
            ]
        },
    }
]

# The parts connect as an application role that does not own the tables; `migrate --database owner`
# connects as their owner (see exchange_site/database/).
DATABASES = ADDRESSES.databases()
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Two Redis servers: the engine's own (queue, journal, replies), and one for everything else.
ENGINE_REDIS_URL = ADDRESSES.engine_redis_url
REDIS_URL = ADDRESSES.redis_url

# What this machine's engine is called where /health says who leads.
ENGINE_INSTANCE = os.environ.get("ENGINE_INSTANCE") or socket.gethostname()

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
# The publisher stores what it publishes with one script: the groups are where the feeds are.
CHANNEL_LAYERS = {
    "default": {"BACKEND": "realtime.layer.FeedChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}

# A task is acknowledged when it has ended: one that was killed runs again, and must bear it.
# Results are rows, never messages.
CELERY_BROKER_URL = ADDRESSES.celery_broker_url
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A task that was not begun before the next one is due has nothing to add, so it expires.
CELERY_BEAT_SCHEDULE = {
    "project-journal": {
        "task": "engine.project_journal",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    "update-candles": {
        "task": "markets.update_candles",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "follow-journal": {
        "task": "engine.follow_journal",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
}
# The projector loops over the journal for most of its time, and the follower keeps a replica of the
# engine in memory: a queue and one process of its own for each.
CELERY_TASK_ROUTES = {
    "engine.project_journal": {"queue": "projector"},
    "engine.follow_journal": {"queue": "follower"},
}

# A snapshot is taken after that much time or that many commands, whichever comes first. The newest
# ones are kept, and the last one of each of the newest days.
SNAPSHOT_EVERY_S = float(os.environ.get("SNAPSHOT_EVERY_S") or 300)
SNAPSHOT_EVERY_COMMANDS = int(os.environ.get("SNAPSHOT_EVERY_COMMANDS") or 500000)
SNAPSHOTS_KEEP = max(3, int(os.environ.get("SNAPSHOTS_KEEP") or 3))
SNAPSHOTS_KEEP_DAYS = int(os.environ.get("SNAPSHOTS_KEEP_DAYS") or 7)
# The stream keeps this many of its newest entries, however many of them nobody needs.
JOURNAL_KEEP_ENTRIES = max(1, int(os.environ.get("JOURNAL_KEEP_ENTRIES") or 1000))

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ThrottledBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/account/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# Encrypts the secrets of API keys at rest; without it a key derived from SECRET_KEY does.
API_SECRETS_KEY = os.environ.get("API_SECRETS_KEY", "")

# Onramps above these amounts need a second approver: a JSON object such as {"USDT": "50000"}.
ONRAMP_SECOND_APPROVAL_ABOVE: dict[str, str] = json.loads(
    os.environ.get("ONRAMP_SECOND_APPROVAL_ABOVE") or "{}"
)

# The same for withdrawals, and for transfers between accounts.
WITHDRAWAL_SECOND_APPROVAL_ABOVE: dict[str, str] = json.loads(
    os.environ.get("WITHDRAWAL_SECOND_APPROVAL_ABOVE") or "{}"
)

# How long what asks for the past waits for the tables, before it is told that they are behind.
HISTORY_WAIT_S = float(os.environ.get("HISTORY_WAIT_S") or 1)

# /health fails where one of these is further behind than this many journal entries.
HEALTH_PROJECTOR_LAG = int(os.environ.get("HEALTH_PROJECTOR_LAG") or 10000)
HEALTH_PUBLISHER_LAG = int(os.environ.get("HEALTH_PUBLISHER_LAG") or 10000)
HEALTH_SNAPSHOT_WAIT_S = float(
    os.environ.get("HEALTH_SNAPSHOT_WAIT_S") or 3 * SNAPSHOT_EVERY_S + 60
)

# Requests to the API, signed or of somebody signed in, and others, by address; as many may fail to
# say who calls. Keys of the tier `maker` are not counted.
REQUESTS_PER_MINUTE_USER = int(os.environ.get("REQUESTS_PER_MINUTE_USER") or 6000)
REQUESTS_PER_MINUTE_ADDRESS = int(os.environ.get("REQUESTS_PER_MINUTE_ADDRESS") or 3000)

# The limits of the Binance-compatible API, as its `exchangeInfo` tells them: request weight by
# address, new orders by account. Keys of the tier `maker` are not counted.
BINANCE_REQUEST_WEIGHT_PER_MINUTE = int(os.environ.get("BINANCE_REQUEST_WEIGHT_PER_MINUTE") or 6000)
BINANCE_ORDERS_PER_10_SECONDS = int(os.environ.get("BINANCE_ORDERS_PER_10_SECONDS") or 100)
BINANCE_ORDERS_PER_DAY = int(os.environ.get("BINANCE_ORDERS_PER_DAY") or 200000)

# The demo's market maker; `markets/market_maker/parameters.py` says what can stand here.
MARKET_MAKER = {
    "url": f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}",
    "markets": {"BTCUSDT": "50000", "ETHUSDT": "2500", "SOLUSDT": "100", "ETHBTC": "0.05"},
    **json.loads(os.environ.get("MARKET_MAKER") or "{}"),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.permissions.HasScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.CallerThrottle"],
    "DEFAULT_PARSER_CLASSES": ["exchange_site.api.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["exchange_site.api.rendering.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "exchange_site.api.rendering.OneFormat",
    "DEFAULT_SCHEMA_CLASS": "exchange_site.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.failed_calls.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Exchange",
    "DESCRIPTION": "Amounts are decimal strings, times milliseconds since the epoch UTC, ids "
    "integers. Errors are RFC 9457 problem details with a stable `code` (see /docs/problems). "
    "The Binance-compatible API is described at /docs/v3.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "PREPROCESSING_HOOKS": ["exchange_site.api.schema.keep_native"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or HOME.static)
# Each file with a compressed copy beside it: the trading page's scripts are a third of their size.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# For the forms of pages and of the admin; the API refuses what is longer than 64 KiB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# To the standard error of each part: Django alone would only mail its errors.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Each 4xx is a caller's matter.
        "django.request": {"level": "ERROR"},
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
if PRODUCTION:
    # Whoever asks for /health stands beside the server, not in front of it.
    SECURE_REDIRECT_EXEMPT = [r"^health$"]
    SECURE_SSL_REDIRECT = (os.environ.get("SECURE_SSL_REDIRECT") or "1") == "1"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
