"""The sign-in form, of the site and of the admin."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accounts.throttles import SignInThrottled


class _SaysThrottled(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except SignInThrottled as throttled:
            minutes = max(1, round(throttled.wait_s / 60))
            raise ValidationError(
                f"Too many attempts. Try again in {minutes} minutes.", code="throttled"
            ) from None


class SignInForm(_SaysThrottled):
    pass


class AdminSignInForm(_SaysThrottled, AdminAuthenticationForm):
    pass
