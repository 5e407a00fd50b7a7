"""After the engine's Redis and PostgreSQL were replaced on purpose."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis import RedisError

from engine.connections import connect
from engine.publisher.reset import forget_feeds


class Command(BaseCommand):
    help = (
        "Make the publisher forget which journal it followed, so that it begins anew with another "
        "one that is meant: see docs/FAILURES.md. Its position bears witness no more to entries "
        "that the journal lost. Prints one JSON object with that position."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with connect(settings.REDIS_URL) as shared:
                forgotten = forget_feeds(shared)
        except RedisError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"forgotten": forgotten}))
