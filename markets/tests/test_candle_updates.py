"""Candles in the database, from projected trades."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.models import ProjectorPosition
from engine.projector.loop import project_entries
from engine.projector.positions import JOURNAL, projected_sequence, read_position
from engine.tests.journals import small_journal
from engine.times import to_datetime
from markets.candle_updates import CANDLES, update_candles
from markets.candles import Print, candles_of
from markets.models import Asset, Kline, Market, Trade
from markets.tests.prints import prints

pytestmark = pytest.mark.django_db


def stored() -> dict[tuple[str, str, Any], tuple[Decimal, ...]]:
    fields = [f.name for f in Kline._meta.concrete_fields if f.name != "pk"]
    return {row[:3]: row[3:] for row in Kline.objects.values_list(*fields)}


def expected(trades: list[Print]) -> dict[tuple[str, str, Any], tuple[Decimal, ...]]:
    return {
        (key.market, key.interval.value, to_datetime(key.open_time)): tuple(
            candle._asdict().values()
        )
        for key, candle in candles_of(trades).items()
    }


def put_trades(trades: list[Print], *, sequence: int) -> None:
    """As the projector leaves them: trades of one journal entry, and its position."""
    Trade.objects.bulk_create(
        Trade(
            market_id=trade.market,
            trade_id=trade.trade_id,
            time=to_datetime(trade.time),
            sequence=sequence,
            price=trade.price,
            quantity=trade.quantity,
            quote_quantity=trade.quote_quantity,
            taker_side="buy" if trade.taker_buys else "sell",
            buyer=1,
            seller=2,
            buy_order_id=1,
            sell_order_id=2,
            buyer_fee=0,
            seller_fee=0,
        )
        for trade in trades
    )
    ProjectorPosition.objects.update_or_create(
        name=JOURNAL,
        defaults={"sequence": sequence, "time": to_datetime(trades[-1].time) if trades else None},
    )


def define_markets() -> None:
    Asset.objects.bulk_create([Asset(symbol=s, scale=8) for s in ("BTC", "ETH", "USDT")])
    rules: dict[str, Any] = {
        "tick": 1,
        "step": 1,
        "min_quantity": 1,
        "max_quantity": 1,
        "min_notional": 1,
        "band_down_ppm": 1,
        "band_up_ppm": 1,
        "maker_fee_ppm": 0,
        "taker_fee_ppm": 0,
        "sequence": 1,
    }
    Market.objects.create(symbol="BTCUSDT", base_id="BTC", quote_id="USDT", **rules)
    Market.objects.create(symbol="ETHBTC", base_id="ETH", quote_id="BTC", **rules)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@given(trades=prints(), data=st.data())
def test_candles_are_those_of_the_trades_however_they_arrive(
    db: None, trades: list[Print], data: st.DataObject
) -> None:
    with transaction.atomic():
        define_markets()
        start = sequence = included = 0
        while start < len(trades):
            sequence, end = sequence + 1, data.draw(st.integers(start + 1, len(trades)))
            put_trades(trades[start:end], sequence=sequence)
            if data.draw(st.booleans()):
                included += update_candles(seconds=60, batch=data.draw(st.integers(1, 5)))
            start = end
        included += update_candles(seconds=60, batch=data.draw(st.integers(1, 5)))
        assert included == len(trades)
        assert stored() == expected(trades)
        assert read_position(CANDLES).sequence == projected_sequence()
        transaction.set_rollback(True)


def test_update_without_news_changes_nothing() -> None:
    project_entries(small_journal())
    assert update_candles(seconds=60) == 2
    once = stored()
    assert update_candles(seconds=60) == 0
    assert stored() == once


def test_candles_stand_with_the_projector_even_where_nothing_traded() -> None:
    entries = small_journal()
    project_entries(entries[:2])
    assert update_candles(seconds=60) == 0
    assert read_position(CANDLES).sequence == 2
    project_entries(entries[2:])
    assert update_candles(seconds=60) == 2


def test_crash_counts_no_trade_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    project_entries(small_journal())
    with monkeypatch.context() as patch:
        patch.setattr("markets.candle_updates.advance_position", _fail)
        with pytest.raises(RuntimeError):
            update_candles(seconds=60)
    assert not Kline.objects.exists()
    update_candles(seconds=60)
    assert Kline.objects.get(interval="1M").volume == Decimal("1.5")


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("killed before the position was written")
