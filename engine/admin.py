"""What operators see of the engine. Everything here is for reading."""

from typing import Any, Final, NamedTuple

import msgspec
import redis
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from engine.connections import connect
from engine.dead_letters import DeadLetter, count_dead_letters, read_dead_letters
from engine.models import DeadLetter as DeadLetterModel
from engine.models import Snapshot
from engine.times import to_datetime
from engine.wire import open_envelope
from exchange_site.generic import ModelAdmin

SHOWN: Final = 100


class Shown(NamedTuple):
    letter: DeadLetter
    time: Any
    command: str
    """Indented JSON; the whole message where that is none."""


@admin.register(DeadLetterModel)
class DeadLetterAdmin(ModelAdmin[DeadLetterModel]):
    """One page with the newest dead letters, read from the engine's Redis."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: DeadLetterModel | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: DeadLetterModel | None = None
    ) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        letters: list[DeadLetter] = []
        total = 0
        try:
            with connect(settings.ENGINE_REDIS_URL, timeout_s=2.0) as connection:
                letters = read_dead_letters(connection, count=SHOWN)
                total = count_dead_letters(connection)
        except redis.RedisError:
            messages.error(request, "The engine's Redis does not answer.")
        context = {
            **self.admin_site.each_context(request),
            "title": "Dead letters",
            "opts": self.opts,
            "letters": [_shown(letter) for letter in letters],
            "total": total,
        }
        return TemplateResponse(request, "admin/dead_letters.html", context)


@admin.register(Snapshot)
class SnapshotAdmin(ModelAdmin[Snapshot]):
    """They are taken and removed by the follower alone."""

    list_display = ("sequence", "time", "created_at", "core", "epoch", "size", "state_hash")
    ordering = ("-sequence", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Snapshot | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Snapshot | None = None) -> bool:
        return False


def _shown(letter: DeadLetter) -> Shown:
    try:
        _, command = open_envelope(letter.message.encode())
        text = msgspec.json.format(command, indent=2).decode()
    except (msgspec.MsgspecError, ValueError):
        text = letter.message
    return Shown(letter, to_datetime(letter.time), text)
