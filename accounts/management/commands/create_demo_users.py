"""The users of a fresh installation: two who trade, and an admin."""

import json
import secrets
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.onramp import OnrampRefused
from accounts.onramp_commands import fund
from accounts.services import user_create
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from exchange_site.servers.home import ExchangeHome

TRADERS: Final = ("demo", "trader")
ADMIN: Final = "admin"
PASSWORDS_FILE: Final = "demo-passwords.json"
FUNDS: Final = {"BTC": "10", "ETH": "100", "SOL": "1000", "USDT": "1000000"}


class Command(BaseCommand):
    help = "Creates and funds the demo users, once, and prints how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        # 1. Passwords: random, made once per installation.
        passwords = load_passwords(settings.HOME)

        # 2. Users: those that are missing.
        for username, password in passwords.items():
            self._user(username, password)

        # 3. Funds: once for ever, by their keys.
        for username in TRADERS:
            self._fund(User.objects.get(username=username))

        # 4. How to sign in, on every run.
        for username, password in passwords.items():
            self.stdout.write(f"demo: {username} / {self._how_to_sign_in(username, password)}")

    def _user(self, username: str, password: str) -> None:
        if User.objects.filter(username=username).exists():
            return
        user = user_create(username=username, password=password)
        if username == ADMIN:
            user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_staff", "is_superuser"])

    def _how_to_sign_in(self, username: str, password: str) -> str:
        """The password, if it is that: the database may have users of another installation, or
        somebody changed it. It is left alone then, for `admin` may be somebody's real one."""
        if User.objects.get(username=username).check_password(password):
            return password
        return f"(another password; `manage.py changepassword {username}` sets a new one)"

    def _fund(self, user: User) -> None:
        for asset, amount in FUNDS.items():
            try:
                fund(
                    user=user,
                    asset=asset,
                    amount=amount,
                    reason="demo funds",
                    idempotency_key=f"demo-{asset}",
                )
            except (CodedError, OnrampRefused) as error:
                raise CommandError(f"funding {user.username} with {asset}: {error}") from None
            except (EngineUnavailable, StatusUnknown):
                raise CommandError("the engine does not answer; run this again") from None


def load_passwords(home: ExchangeHome) -> dict[str, str]:
    """Random passwords, made once for this installation; by user name."""
    stored: dict[str, str] = json.loads(home.write_once(PASSWORDS_FILE, _make_passwords))
    return stored


def _make_passwords() -> str:
    return json.dumps({name: secrets.token_urlsafe(12) for name in (*TRADERS, ADMIN)})
