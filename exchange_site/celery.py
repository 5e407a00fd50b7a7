"""The Celery application. Its settings are those of Django that begin with `CELERY_`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from exchange_site.garbage import spare_what_stands

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _begin(**_: Any) -> None:
    spare_what_stands()


worker_ready.connect(_begin)
