"""Frames of Binance's spot market streams and its REST depth snapshot.

Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams. Amounts stay
the decimal strings they are; times are milliseconds since the epoch UTC.
"""

from collections.abc import Callable
from typing import Final

import msgspec

Level = tuple[str, str]
"""Price and quantity; a quantity of zero takes the level out."""


class DepthDiff(msgspec.Struct, frozen=True, gc=False):
    """`<symbol>@depth`: the levels that changed by the updates `first_id` to `last_id`."""

    event_time: int = msgspec.field(name="E")
    symbol: str = msgspec.field(name="s")
    first_id: int = msgspec.field(name="U")
    last_id: int = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")


class DepthSnapshot(msgspec.Struct, frozen=True, gc=False):
    """`GET /api/v3/depth`: the best levels as of the update `last_id`. It names no symbol."""

    last_id: int = msgspec.field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]


class TradePrint(msgspec.Struct, frozen=True, gc=False):
    """`<symbol>@trade`."""

    symbol: str = msgspec.field(name="s")
    trade_id: int = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    trade_time: int = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")


class BookTicker(msgspec.Struct, frozen=True, gc=False):
    """`<symbol>@bookTicker`: the best level of each side as of the update `update_id`."""

    update_id: int = msgspec.field(name="u")
    symbol: str = msgspec.field(name="s")
    bid_price: str = msgspec.field(name="b")
    bid_quantity: str = msgspec.field(name="B")
    ask_price: str = msgspec.field(name="a")
    ask_quantity: str = msgspec.field(name="A")


StreamFrame = DepthDiff | TradePrint | BookTicker
Frame = StreamFrame | DepthSnapshot


class FrameError(ValueError):
    """The bytes are no frame that is known here."""


class _Combined(msgspec.Struct):
    """`{"stream": ..., "data": ...}`, or without a stream the answer of a REST call."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()


_split: Final = msgspec.json.Decoder(_Combined).decode
_snapshot: Final = msgspec.json.Decoder(DepthSnapshot).decode
_STREAMS: Final[dict[str, Callable[[msgspec.Raw], StreamFrame]]] = {
    "depth": msgspec.json.Decoder(DepthDiff).decode,
    "depth@100ms": msgspec.json.Decoder(DepthDiff).decode,
    "trade": msgspec.json.Decoder(TradePrint).decode,
    "bookTicker": msgspec.json.Decoder(BookTicker).decode,
}


def parse_frame(raw: bytes) -> Frame:
    """Raises FrameError."""
    try:
        combined = _split(raw)
        if not combined.stream:
            return _snapshot(raw)
        decode = _STREAMS.get(combined.stream.partition("@")[2])
        if decode is None:
            raise FrameError(f"unknown stream {combined.stream[:40]}")
        return decode(combined.data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FrameError(str(error)) from error
