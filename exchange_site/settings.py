"""Settings of every process of the exchange.

Everything that differs between a laptop and production comes from the environment
(`docs/OPERATIONS.md` lists the variables). With none set, the addresses are those of the
servers that `make run` embeds under `EXCHANGE_HOME`.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.home import ExchangeHome

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = ExchangeHome.from_environment(os.environ, default=BASE_DIR / ".run")
ADDRESSES = ServerAddresses.from_environment(os.environ, HOME)

# PRODUCTION=1: HTTPS only, and every secret must come from the environment.
PRODUCTION = os.environ.get("PRODUCTION", "0") == "1"
DEBUG = False
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("PRODUCTION=1 needs SECRET_KEY in the environment.")
    SECRET_KEY = HOME.secret_key()
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
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

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}

# A task is acknowledged when it has ended: one that was killed runs again, and must bear it.
# Results are rows, never messages. The queue `projector` has a worker of its own.
CELERY_BROKER_URL = ADDRESSES.celery_broker_url
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"engine.project_journal": {"queue": "projector"}}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/account/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or HOME.static)

# No request of this site is larger than a list of 100 orders.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
if PRODUCTION:
    # Whoever asks for /health stands beside the server, not in front of it.
    SECURE_REDIRECT_EXEMPT = [r"^health$"]
    SECURE_SSL_REDIRECT = os.environ.get("SECURE_SSL_REDIRECT", "1") == "1"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Background work (Celery) -----------------------------------------------------------------
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
}
# The projector loops over the journal for most of its time: a queue and one process of its own.
CELERY_TASK_ROUTES = {
    "engine.project_journal": {"queue": "projector"},
    "markets.update_candles": {"queue": "default"},
}
