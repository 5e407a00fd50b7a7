"""Where every password is checked: the sign-in page, the admin, and `POST /auth/token`."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.addresses import client_address
from accounts.models import User
from accounts.throttles import begin_sign_in, end_sign_in


class ThrottledBackend(ModelBackend):
    """Django's own, with a limit per account and per address.

    `authenticate` raises SignInThrottled; the forms and the API say it in their own way.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        address = client_address(request) if request is not None else ""
        begin_sign_in(username=username, address=address)
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            end_sign_in(username=username, address=address)
        return user
