"""Tokens for clients that a person signed in to, such as the mobile one."""

from typing import ClassVar

from django.db import models

from accounts.models.user import User


class BearerToken(models.Model):
    """Only the token's hash is kept: who reads the table cannot sign in with it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="bearer_tokens")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="bearer_token_expiry")]

    def __str__(self) -> str:
        return f"bearer token {self.pk} of {self.user_id}"
