"""The kinds of parameters: how each is read, what it refuses, and its schema.

A kind is a type that carries its reader; `decode` makes a struct of them from the parameters. So
one declaration (`queries.py`) is the parser and the documentation.
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec

from engine.core.types import SelfTradePrevention, Side, TimeInForce
from engine.intervals import Interval
from exchange_site.api.fields import SIGNATURE_PARAMETERS, flatten
from markets.binance import errors
from markets.binance.errors import Words
from markets.binance.parameters import Parameters

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

Reader = Callable[[str, str], Any]
"""From a parameter's name and text to its value. Raises BinanceError."""

_MAX: Final = 2**63 - 1
INTEGER: Final = "^[0-9]{1,20}$"
DECIMAL: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
SYMBOL: Final = "^[A-Z0-9-_.]{1,20}$"
SYMBOLS: Final = r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$'
CLIENT_ORDER_ID: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
BOOLEAN: Final = "^(true|false)$"

MAX_SYMBOLS: Final = 100


def _matching(legal: str) -> Reader:
    match = re.compile(legal, re.ASCII).fullmatch

    def read(name: str, text: str) -> str:
        if match(text) is None:
            raise errors.ILLEGAL_CHARACTERS.error(name, legal)
        return text

    return read


_integer_text: Final = _matching(INTEGER)
_boolean_text: Final = _matching(BOOLEAN)
_symbols_text: Final = _matching(SYMBOLS)


def _integer(name: str, text: str) -> int:
    value = int(_integer_text(name, text))
    if value > _MAX:
        raise errors.OVERFLOW.error(name)
    return value


def _limit(most: int) -> Reader:
    """What is more than the most is cut to it."""

    def read(name: str, text: str) -> int:
        value = _integer(name, text)
        if value == 0:
            raise errors.INVALID_DATA.error(name)
        return min(value, most)

    return read


def _boolean(name: str, text: str) -> bool:
    return bool(_boolean_text(name, text.lower()) == "true")


def _symbols(name: str, text: str) -> list[str]:
    symbols: list[str] = msgspec.json.decode(_symbols_text(name, text.replace(" ", "")))
    if len(symbols) > MAX_SYMBOLS:
        raise errors.INVALID_DATA.error(name)
    if len(set(symbols)) != len(symbols):
        raise errors.DUPLICATE_SYMBOLS.error()
    return symbols


def _permissions(name: str, text: str) -> list[str]:
    """One, or a list like that of symbols."""
    return _symbols(name, text if text.startswith("[") else f'["{text}"]')


def _choice(kind: type[Enum], words: Words) -> Reader:
    known = {member.value: member for member in kind}

    def read(name: str, text: str) -> Enum:
        try:
            return known[text]
        except KeyError:
            raise words.error(name) from None

    return read


def _kind(
    read: Reader, *, pattern: str | None = None, description: str = "", **schema: Any
) -> msgspec.Meta:
    """`pattern` is what `read` goes by, for who reads it from JSON."""
    return msgspec.Meta(
        pattern=pattern,
        extra={"read": read},
        extra_json_schema=schema or None,
        description=description or None,
    )


_WHOLE: Final = msgspec.Meta(ge=0, le=_MAX)


class OrderKind(Enum):
    """`type` of an order."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


class Lifetime(Enum):
    """`timeInForce`."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"

    def __init__(self, value: str) -> None:
        self.time_in_force = TimeInForce(value.lower())


class ResponseType(Enum):
    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class TickerType(Enum):
    FULL = "FULL"
    MINI = "MINI"


class CancelRestriction(Enum):
    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


class CancelReplaceMode(Enum):
    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


class SymbolStatus(Enum):
    TRADING = "TRADING"
    HALT = "HALT"
    BREAK = "BREAK"


class PreventionMode(Enum):
    """`selfTradePreventionMode`."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"

    def __init__(self, value: str) -> None:
        self.mode = SelfTradePrevention(value.lower())


class WireSide(Enum):
    BUY = "BUY"
    SELL = "SELL"

    def __init__(self, value: str) -> None:
        self.side = Side(value.lower())


Symbol = Annotated[str, _kind(_matching(SYMBOL), pattern=SYMBOL, examples=["BTCUSDT"])]
Symbols = Annotated[
    list[str], _kind(_symbols, description='A JSON list: `["BTCUSDT","ETHBTC"]`.', maxItems=100)
]
Permissions = Annotated[list[str], _kind(_permissions, description="One, or a JSON list.")]
Id = Annotated[int, _WHOLE, _kind(_integer)]
Time = Annotated[int, _WHOLE, _kind(_integer, description="Milliseconds since the epoch UTC.")]
Limit = Annotated[int, _kind(_limit(1_000), minimum=1, description="At most 1000.")]
DepthLimit = Annotated[int, _kind(_limit(5_000), minimum=1, description="At most 5000.")]
Decimal = Annotated[str, _kind(_matching(DECIMAL), pattern=DECIMAL, examples=["0.01500000"])]
ClientOrderId = Annotated[str, _kind(_matching(CLIENT_ORDER_ID), pattern=CLIENT_ORDER_ID)]
ListenKey = Annotated[str, _kind(_matching("^[A-Za-z0-9]{1,64}$"), pattern="^[A-Za-z0-9]{1,64}$")]
Boolean = Annotated[bool, _kind(_boolean)]
SideField = Annotated[WireSide, _kind(_choice(WireSide, errors.INVALID_SIDE))]
OrderKindField = Annotated[OrderKind, _kind(_choice(OrderKind, errors.INVALID_ORDER_TYPE))]
LifetimeField = Annotated[Lifetime, _kind(_choice(Lifetime, errors.INVALID_TIF))]
ResponseTypeField = Annotated[
    ResponseType, _kind(_choice(ResponseType, errors.INVALID_RESPONSE_TYPE))
]
TickerTypeField = Annotated[TickerType, _kind(_choice(TickerType, errors.INVALID_TICKER_TYPE))]
IntervalField = Annotated[Interval, _kind(_choice(Interval, errors.INVALID_INTERVAL))]
CancelRestrictionField = Annotated[
    CancelRestriction, _kind(_choice(CancelRestriction, errors.INVALID_CANCEL_RESTRICTIONS))
]
SymbolStatusField = Annotated[
    SymbolStatus, _kind(_choice(SymbolStatus, errors.INVALID_SYMBOL_STATUS))
]
ReplaceModeField = Annotated[
    CancelReplaceMode, _kind(_choice(CancelReplaceMode, errors.INVALID_DATA))
]
PreventionModeField = Annotated[PreventionMode, _kind(_choice(PreventionMode, errors.INVALID_DATA))]


class _Rules(NamedTuple):
    known: dict[str, tuple[str, Reader]]
    """By parameter: the attribute and how it is read."""
    required: tuple[str, ...]


@cache
def _rules(into: type[msgspec.Struct]) -> _Rules:
    fields = msgspec.structs.fields(into)
    return _Rules(
        {field.encode_name: (field.name, _reader_of(field.type)) for field in fields},
        tuple(field.encode_name for field in fields if field.required),
    )


def _reader_of(kind: Any) -> Reader:
    metas = [part for part in flatten(kind) if isinstance(part, msgspec.Meta)]
    (reader,) = [meta.extra["read"] for meta in metas if meta.extra]
    return reader  # type: ignore[no-any-return]


def decode(parameters: Parameters, into: type[_Struct]) -> _Struct:
    """Every parameter known, none missing, none bent. Raises BinanceError."""
    known, required = _rules(into)
    values = {}
    unread = 0
    for name, text in parameters.items():
        rule = known.get(name)
        if rule is None:
            unread += name not in SIGNATURE_PARAMETERS
        elif not text:
            raise errors.EMPTY_PARAMETER.error(name)
        else:
            attribute, read = rule
            values[attribute] = read(name, text)
    for name in required:
        if name not in parameters:
            raise errors.MANDATORY_PARAMETER.error(name)
    if unread:
        raise _unread(len(parameters) - unread, len(parameters), takes_any=bool(known))
    return into(**values)


def decode_list(text: str, into: type[_Struct]) -> list[_Struct] | None:
    """A JSON list of such structs at once, if all of them are written in the plainest way.

    None where one is not: `decode` then reads what can be written in other ways, and says what is
    wrong. It takes ten times as long.
    """
    if "\\" in text or "null" in text:  # escapes hide line ends from patterns, null says nothing
        return None
    try:
        return _list_decoder(into).decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


@cache
def _list_decoder(into: type[_Struct]) -> msgspec.json.Decoder[list[_Struct]]:
    return msgspec.json.Decoder(list[into])  # type: ignore[valid-type] # it is one at runtime


def _unread(read: int, sent: int, *, takes_any: bool) -> errors.BinanceError:
    if takes_any:
        return errors.UNREAD_PARAMETERS.error(read, sent)
    return errors.TOO_MANY_PARAMETERS.error(read, sent)
