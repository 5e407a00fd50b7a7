"""Who does it."""

from django.http import HttpRequest

from accounts.models import User


def actor_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
