"""An API key for a script or a market maker, as one JSON line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Scope, Tier, User
from accounts.onramp import OnrampRefused
from accounts.onramp_commands import fund
from accounts.services import api_key_create, user_create
from accounts.trading_accounts import orders_unlimit
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError


def parse_funds(texts: list[str]) -> dict[str, str]:
    """`["BTC=1.5", "USDT=100000"]` as amounts by asset. Raises CommandError."""
    funds = {}
    for text in texts:
        asset, separator, amount = text.partition("=")
        if not (asset and separator and amount) or asset in funds:
            raise CommandError(f"--fund {text}: expected ASSET=AMOUNT, each asset once")
        funds[asset] = amount
    return funds


class Command(BaseCommand):
    help = "Creates an API key and prints it as one JSON line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USER")
        parser.add_argument("--create", action="store_true", help="create the user if need be")
        parser.add_argument("--scope", nargs="+", choices=Scope.values, default=list(Scope.values))
        parser.add_argument("--fund", nargs="+", default=[], metavar="ASSET=AMOUNT")
        parser.add_argument("--tier", choices=Tier.values, default=Tier.DEFAULT)

    def handle(self, *args: Any, **options: Any) -> None:
        funds = parse_funds(options["fund"])
        user = self._user(options["username"], create=options["create"])
        for asset, amount in funds.items():
            self._fund(user, asset, amount)
        if options["tier"] == Tier.MAKER:
            self._unlimit(user)
        created = api_key_create(
            user=user, scopes=options["scope"], tier=options["tier"], label="create_api_key"
        )
        line = {
            "username": user.username,
            "api_key": created.api_key.key,
            "secret_key": created.secret,
        }
        self.stdout.write(json.dumps(line))

    def _unlimit(self, user: User) -> None:
        try:
            orders_unlimit(account=user.pk)
        except (EngineUnavailable, StatusUnknown):
            raise CommandError(
                "the engine does not answer: is `make run` running? There is no key yet"
            ) from None
        except CodedError as error:
            raise CommandError(f"{error}: there is no key yet, run this again") from None

    def _user(self, username: str, *, create: bool) -> User:
        user = User.objects.filter(username=username).first()
        if user is not None:
            return user
        if not create:
            raise CommandError(f"there is no user {username}: --create makes one")
        try:
            return user_create(username=username)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None

    def _fund(self, user: User, asset: str, amount: str) -> None:
        try:
            fund(user=user, asset=asset, amount=amount, reason="create_api_key --fund")
        except (CodedError, OnrampRefused) as error:
            raise CommandError(f"--fund {asset}={amount}: {error}") from None
        except EngineUnavailable:
            raise CommandError("the engine does not answer: is `make run` running?") from None
        except StatusUnknown:
            raise CommandError(
                f"--fund {asset}={amount}: no answer in time; see the onramp requests in the admin"
            ) from None
