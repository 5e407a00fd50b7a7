"""What operators decide about accounts: commands to the engine."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import NotionalLimit, TradingAccount
from accounts.trading_accounts import account_configure, notional_limit_set
from exchange_site.command_admin import CommandAdmin, CommandForm


class TradingAccountForm(CommandForm[TradingAccount]):
    class Meta:
        model = TradingAccount
        fields = ("account", "tier", "trade_group", "frozen", "unlimited_orders")

    def clean(self) -> dict[str, Any]:
        # Which account it is is not in the form of a change.
        account, data = self.instance.account, self.cleaned_data
        self.send(
            lambda: account_configure(
                account=data.get("account", account),
                tier=data["tier"],
                trade_group=data["trade_group"],
                frozen=data["frozen"],
                unlimited_orders=data["unlimited_orders"],
            )
        )
        return data


@admin.register(TradingAccount)
class TradingAccountAdmin(CommandAdmin[TradingAccount]):
    """Accounts that were never configured have no row, and the defaults."""

    form = TradingAccountForm
    list_display = ("account", "tier", "trade_group", "frozen", "unlimited_orders")
    list_filter = ("frozen", "unlimited_orders")
    search_fields = ("=account",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: TradingAccount | None = None
    ) -> list[str]:
        return ["account"] if obj else []


class NotionalLimitForm(CommandForm[NotionalLimit]):
    class Meta:
        model = NotionalLimit
        fields = ("account", "asset", "amount")

    def clean(self) -> dict[str, Any]:
        row, data = self.instance, self.cleaned_data
        amount: Decimal | None = data.get("amount")
        self.send(
            lambda: notional_limit_set(
                account=data.get("account", row.account),
                asset=data.get("asset", row.asset),
                amount=None if amount is None else f"{amount.normalize():f}",
            )
        )
        return data

    def validate_unique(self) -> None:
        """A limit may be given anew."""


@admin.register(NotionalLimit)
class NotionalLimitAdmin(CommandAdmin[NotionalLimit]):
    form = NotionalLimitForm
    list_display = ("account", "asset", "amount")
    search_fields = ("=account",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: NotionalLimit | None = None
    ) -> list[str]:
        return ["account", "asset"] if obj else []
