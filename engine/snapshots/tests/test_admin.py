"""The admin's page of snapshots can be read, and no more."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from engine.models import Snapshot
from engine.snapshots.tests.scene import Scene


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_it_can_be_read(admin: Client, scene: Scene) -> None:
    at = scene.snapshot()
    page = admin.get(reverse("admin:engine_snapshot_changelist"))
    assert f">{at}<" in page.content.decode()
    row = Snapshot.objects.get()
    page = admin.get(reverse("admin:engine_snapshot_change", args=[row.id]))
    assert row.digest in page.content.decode()


def test_it_cannot_be_changed(admin: Client, scene: Scene) -> None:
    scene.snapshot()
    row = Snapshot.objects.get()
    for name, arguments in (("add", []), ("change", [row.id]), ("delete", [row.id])):
        answer = admin.post(reverse(f"admin:engine_snapshot_{name}", args=arguments))
        assert answer.status_code == 403
    assert Snapshot.objects.get() == row
