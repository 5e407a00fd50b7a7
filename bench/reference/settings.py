"""The exchange's settings, but for the paths."""

from exchange_site.settings import *  # noqa: F403

ROOT_URLCONF = "bench.reference.urls"
