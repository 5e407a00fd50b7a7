"""What a known caller may do."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import Scope
from accounts.selectors import Credential
from exchange_site.api.problems import ProblemError

if TYPE_CHECKING:  # DRF imports this module while it imports its views
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """API keys read with `read` and change with `trade`. Persons may do both."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Credential):
            return True
        needed = Scope.READ if request.method in SAFE_METHODS else Scope.TRADE
        if needed not in request.auth.scopes:
            raise ProblemError("SCOPE_MISSING", f"the key has no scope {needed.value}")
        return True
