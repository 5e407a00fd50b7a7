"""Definitions are changed by commands to the engine; everything else here is for reading.

Trades are missing: their table has a composite key, as a hypertable needs one, and Django's admin
takes none.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import construct_instance
from django.http import HttpRequest

from engine.client import EngineUnavailable, StatusUnknown
from engine.submit import CommandRefused
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm
from markets.administration import asset_define, market_define
from markets.models import Asset, Market, Order
from markets.selectors import wait_for_projection

_Row = TypeVar("_Row", bound=Model)

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


class CommandForm(ModelForm[_Row]):
    """Sends a command where other forms write a row. The engine's refusal is a form error."""

    sequence: int

    def send(self, command: Callable[[], int]) -> None:
        """Last in `clean`: the form is only valid if the engine agreed."""
        if self.errors:
            return
        try:
            self.sequence = command()
        except CommandRefused as refusal:
            raise ValidationError(f"{refusal.detail} ({refusal.code.value})") from None
        except CodedError as error:
            raise ValidationError({error.field or "__all__": error.detail}) from None
        except EngineUnavailable:
            raise ValidationError("The engine does not answer; nothing was changed.") from None
        except StatusUnknown:
            raise ValidationError("No answer came in time. Look before you try again.") from None

    def _post_clean(self) -> None:
        """The engine validates, not the model; the instance is only there to be named."""
        if not self.errors:
            self.instance = construct_instance(self, self.instance)


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


def _text(amount: Decimal | None) -> Any:
    return None if amount is None else f"{amount:f}"


class ProjectionAdmin(ModelAdmin[_Row]):
    """Rows that only the projector writes: nobody deletes them."""

    def has_delete_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False


class ReadOnlyAdmin(ProjectionAdmin[_Row]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False


class DefinitionAdmin(ProjectionAdmin[_Row]):
    """Saving waits for the row to appear, so that the list shows it."""

    def save_model(
        self, request: HttpRequest, obj: _Row, form: CommandForm[_Row], change: bool
    ) -> None:
        if not wait_for_projection(sequence=form.sequence):
            messages.warning(request, "Done, but the tables are behind: it will show in a moment.")


@admin.register(Asset)
class AssetAdmin(DefinitionAdmin[Asset]):
    form = AssetForm
    list_display = ("symbol", "scale")

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        """An asset never changes again."""
        return False


@admin.register(Market)
class MarketAdmin(DefinitionAdmin[Market]):
    form = MarketForm
    list_display = ("symbol", "tick", "step", "min_notional", "maker_fee_ppm", "taker_fee_ppm")
    list_select_related = ("base", "quote")

    def get_readonly_fields(self, request: HttpRequest, obj: Market | None = None) -> list[str]:
        return ["symbol", "base", "quote"] if obj else []


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
