"""Who trades here."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person or bot. The primary key is the account number in the engine."""
