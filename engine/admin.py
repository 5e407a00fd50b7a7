"""Snapshots, to look at. They are taken and removed by the follower alone."""

from django.contrib import admin
from django.http import HttpRequest

from engine.models import Snapshot
from exchange_site.generic import ModelAdmin


@admin.register(Snapshot)
class SnapshotAdmin(ModelAdmin[Snapshot]):
    list_display = ("sequence", "time", "created_at", "core", "epoch", "size", "state_hash")
    ordering = ("-sequence", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Snapshot | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Snapshot | None = None) -> bool:
        return False
