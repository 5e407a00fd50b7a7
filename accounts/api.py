"""Bearer tokens: `POST` and `DELETE /api/v1/auth/token`."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import BearerAuthentication
from accounts.models import BearerToken, User
from accounts.services import bearer_token_issue, bearer_token_revoke
from accounts.throttles import SignInThrottled
from engine.times import to_milliseconds
from exchange_site.api.fields import Time, decode_body
from exchange_site.api.problems import ProblemError
from exchange_site.api.views import AsyncAPIView


class TokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's name and password."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class TokenOut(msgspec.Struct, frozen=True):
    """For `Authorization: Bearer <token>`."""

    token: str
    expires_at: Time


class TokenView(AsyncAPIView):
    problem_statuses = (401,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        # A token is asked for with a password and nothing else, and given back by itself.
        return [BearerAuthentication()] if self._gives_back() else []

    def get_permissions(self) -> Sequence[BasePermission]:
        return [IsAuthenticated()] if self._gives_back() else [AllowAny()]

    def _gives_back(self) -> bool:
        # There is no request while the schema is made.
        return getattr(self.request, "method", None) == "DELETE"

    @extend_schema(operation_id="create_token", request=TokenIn, responses=TokenOut, auth=[])
    def post(self, request: Request) -> Response:
        """Sign in. The token is valid for 30 days, or until it is given back."""
        wanted = decode_body(request, TokenIn)
        try:
            user = authenticate(
                request._request, username=wanted.username, password=wanted.password
            )
        except SignInThrottled as throttled:
            raise ProblemError(
                "RATE_LIMITED", str(throttled), retry_after_s=throttled.wait_s
            ) from None
        if not isinstance(user, User):
            raise ProblemError("INVALID_CREDENTIALS")
        issued = bearer_token_issue(user=user)
        return Response(TokenOut(issued.token, to_milliseconds(issued.bearer_token.expires_at)))

    @extend_schema(operation_id="delete_token", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out: the token of this request is no longer valid."""
        if isinstance(request.auth, BearerToken):
            bearer_token_revoke(bearer_token=request.auth)
        return Response(status=204)
