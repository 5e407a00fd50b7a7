"""Definitions are changed by commands to the engine; everything else here is for reading.

Trades are missing: their table has a composite key, as a hypertable needs one, and Django's admin
takes none.
"""

from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest

from engine.core.types import Phase
from engine.times import to_milliseconds
from exchange_site.command_admin import CommandAdmin, CommandForm, ReadOnlyAdmin
from markets.administration import asset_define, fees_set, market_define, phase_set
from markets.models import Asset, Market, MarketFees, MarketPhase, Order, OrderList

_AMOUNTS: Final = (
    "tick",
    "step",
    "min_quantity",
    "max_quantity",
    "min_notional",
    "max_notional",
)
_NUMBERS: Final = (
    "band_down_ppm",
    "band_up_ppm",
    "trigger_band_ppm",
    "maker_fee_ppm",
    "taker_fee_ppm",
    "max_open_orders",
    "max_conditional_orders",
    "guard_ppm",
    "guard_window_ms",
    "guard_pause_ms",
)


class AssetForm(CommandForm[Asset]):
    class Meta:
        model = Asset
        fields = ("symbol", "scale")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        self.send(lambda: asset_define(symbol=data["symbol"], scale=data["scale"]))
        return data


class MarketForm(CommandForm[Market]):
    class Meta:
        model = Market
        fields = (
            "symbol",
            "base",
            "quote",
            *_AMOUNTS,
            *_NUMBERS,
        )

    def clean(self) -> dict[str, Any]:
        # The fields that cannot change are not in the form of a change.
        row = self.instance
        data = self.cleaned_data
        self.send(
            lambda: market_define(
                symbol=data.get("symbol") or row.symbol,
                base=(base := data.get("base") or row.base).symbol,
                quote=(quote := data.get("quote") or row.quote).symbol,
                base_scale=base.scale,
                quote_scale=quote.scale,
                **{name: data[name] for name in _NUMBERS},
                **{name: _text(data[name]) for name in _AMOUNTS},
            )
        )
        return data


class PhaseForm(CommandForm[MarketPhase]):
    class Meta:
        model = MarketPhase
        fields = ("phase", "phase_until")

    def clean(self) -> dict[str, Any]:
        symbol, data = self.instance.symbol, self.cleaned_data
        until = data.get("phase_until")
        self.send(
            lambda: phase_set(
                market=symbol,
                phase=Phase(data["phase"]),
                until=None if until is None else to_milliseconds(until),
            )
        )
        return data


class FeesForm(CommandForm[MarketFees]):
    class Meta:
        model = MarketFees
        fields = ("market", "tier", "maker_fee_ppm", "taker_fee_ppm")

    def clean(self) -> dict[str, Any]:
        # The fields that say whose fees these are are not in the form of a change.
        row, data = self.instance, self.cleaned_data
        self.send(
            lambda: fees_set(
                market=data["market"].symbol if "market" in data else row.market_id,
                tier=data.get("tier", row.tier),
                maker_fee_ppm=data["maker_fee_ppm"],
                taker_fee_ppm=data["taker_fee_ppm"],
            )
        )
        return data

    def validate_unique(self) -> None:
        """The fees of a tier may be given anew."""


def _text(amount: Decimal | None) -> Any:
    return None if amount is None else f"{amount:f}"


@admin.register(Asset)
class AssetAdmin(CommandAdmin[Asset]):
    form = AssetForm
    list_display = ("symbol", "scale")

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        """An asset never changes again."""
        return False


@admin.register(Market)
class MarketAdmin(CommandAdmin[Market]):
    form = MarketForm
    list_display = (
        "symbol",
        "phase",
        "tick",
        "step",
        "min_notional",
        "maker_fee_ppm",
        "taker_fee_ppm",
    )
    list_select_related = ("base", "quote")

    def get_readonly_fields(self, request: HttpRequest, obj: Market | None = None) -> list[str]:
        return ["symbol", "base", "quote"] if obj else []


@admin.register(MarketPhase)
class MarketPhaseAdmin(CommandAdmin[MarketPhase]):
    """Opens, halts and closes markets."""

    form = PhaseForm
    list_display = ("symbol", "phase", "phase_until")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(MarketFees)
class MarketFeesAdmin(CommandAdmin[MarketFees]):
    form = FeesForm
    list_display = ("market", "tier", "maker_fee_ppm", "taker_fee_ppm")
    list_select_related = ("market",)

    def get_readonly_fields(self, request: HttpRequest, obj: MarketFees | None = None) -> list[str]:
        return ["market", "tier"] if obj else []


@admin.register(OrderList)
class OrderListAdmin(ReadOnlyAdmin[OrderList]):
    list_display = ("list_id", "account", "market_id", "order_ids", "status", "updated_at")
    list_filter = ("market", "status")
    search_fields = ("=account", "=list_id", "=client_list_id")
    ordering = ("-list_id",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = (
        "order_id",
        "account",
        "market_id",
        "side",
        "type",
        "price",
        "quantity",
        "executed_quantity",
        "status",
        "created_at",
    )
    list_filter = ("market", "status", "side", "type")
    search_fields = ("=account", "=order_id", "=client_order_id")
    ordering = ("-order_id",)
