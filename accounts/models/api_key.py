"""Keys for programs: a public name and a secret that signs requests."""

import ipaddress
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from engine.constraints import one_of


class Scope(models.TextChoices):
    """What a key may do. There is none for withdrawals or for keys, on purpose."""

    READ = "read"
    TRADE = "trade"


class Tier(models.TextChoices):
    DEFAULT = "default"
    MAKER = "maker", "Maker (no request or open-order limits)"


def validate_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValidationError(f"{text} is neither an address nor a network") from None


class ApiKey(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    key = models.CharField(max_length=64, unique=True, editable=False)
    encrypted_secret = models.TextField(editable=False)
    label = models.CharField(max_length=100, blank=True, default="")
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    allowed_networks: "models.JSONField[list[str], list[str]]" = models.JSONField(
        default=list, blank=True, help_text="Addresses or networks; any address where empty."
    )
    tier = models.CharField(choices=Tier.choices, default=Tier.DEFAULT)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To within five minutes."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            one_of("tier", Tier.values, "api_key_tier_known"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values), name="api_key_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key[:8]}… of {self.user_id}"

    def clean(self) -> None:
        if not isinstance(self.scopes, list) or not set(self.scopes) <= set(Scope.values):
            raise ValidationError({"scopes": f"a list of {', '.join(Scope.values)}"})
        if not isinstance(self.allowed_networks, list):
            raise ValidationError({"allowed_networks": "a list"})
        for network in self.allowed_networks:
            validate_network(str(network))
