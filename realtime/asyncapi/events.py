"""The messages of the streams, and of an account's own."""

from typing import Final

from realtime.asyncapi.shapes import (
    AMOUNT,
    FLAG,
    INTEGER,
    INTERVAL,
    LEVELS,
    TEXT,
    TIME,
    Schema,
    always,
    described,
    listed,
    nullable,
    one_of,
    record,
)

_HEAD: Final = {"E": described(TIME, "When it was sent."), "s": TEXT}
_NUMBER: Final = {
    "number": described(INTEGER, "Of the newest of the account's events in it; without a gap.")
}


def _event(kind: str, fields: dict[str, Schema]) -> Schema:
    return record({"e": always(kind), **_HEAD, **fields})


_TRADE: Final = {
    "p": described(AMOUNT, "Price."),
    "q": described(AMOUNT, "Quantity."),
    "T": described(TIME, "Of the trade."),
    "m": described(FLAG, "Whether the buyer is the maker."),
    "M": FLAG,
}
_DAY: Final = {
    "c": described(AMOUNT, "Last price."),
    "o": described(AMOUNT, "Price 24 hours ago."),
    "h": AMOUNT,
    "l": AMOUNT,
    "v": described(AMOUNT, "Volume in the base asset."),
    "q": described(AMOUNT, "Volume in the quote asset."),
}

MINI_TICKER: Final = _event("24hrMiniTicker", _DAY)
TICKER: Final = _event(
    "24hrTicker",
    {
        **_DAY,
        **dict.fromkeys(("p", "w", "x", "Q", "b", "B", "a", "A"), AMOUNT),
        "P": {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{3}$"},
        **dict.fromkeys(("O", "C"), TIME),
        **dict.fromkeys(("F", "L", "n"), INTEGER),
    },
)

MARKET: Final[dict[str, Schema]] = {
    "depthUpdate": _event(
        "depthUpdate",
        {
            "U": described(
                INTEGER, "Number of the first change in it: one more than the last `u`."
            ),
            "u": described(INTEGER, "Number of the last change in it."),
            "b": LEVELS,
            "a": LEVELS,
        },
    ),
    "partialDepth": record({"lastUpdateId": INTEGER, "bids": LEVELS, "asks": LEVELS}),
    "bookTicker": record(
        {"u": INTEGER, "s": TEXT, "b": AMOUNT, "B": AMOUNT, "a": AMOUNT, "A": AMOUNT}
    ),
    "trade": _event("trade", {"t": described(INTEGER, "Trade id."), **_TRADE}),
    "aggTrade": _event("aggTrade", {"a": INTEGER, "f": INTEGER, "l": INTEGER, **_TRADE}),
    "kline": _event(
        "kline",
        {
            "k": record(
                {
                    "t": TIME,
                    "T": TIME,
                    "s": TEXT,
                    "i": INTERVAL,
                    **dict.fromkeys(("f", "L", "n"), INTEGER),
                    **dict.fromkeys(("o", "c", "h", "l", "v", "q", "V", "Q"), AMOUNT),
                    "x": described(FLAG, "Whether it is closed."),
                    "B": TEXT,
                }
            )
        },
    ),
    "miniTicker": MINI_TICKER,
    "ticker": TICKER,
    "miniTickers": listed(MINI_TICKER),
    "tickers": listed(TICKER),
}

_OWN_HEAD: Final = {"E": TIME}

USER: Final[dict[str, Schema]] = {
    "executionReport": record(
        {
            "e": always("executionReport"),
            **_HEAD,
            "c": described(TEXT, "Client order id."),
            "S": one_of("BUY", "SELL"),
            "o": described(TEXT, "Type."),
            "f": one_of("GTC", "IOC", "FOK", "GTD"),
            **dict.fromkeys(("q", "p", "P", "F"), AMOUNT),
            "g": described(INTEGER, "Order list; -1: none."),
            "C": TEXT,
            "x": described(
                one_of(
                    *("NEW", "CANCELED", "REPLACED", "REJECTED"),
                    *("TRADE", "EXPIRED", "TRADE_PREVENTION"),
                ),
                "What happened.",
            ),
            "X": described(
                one_of(
                    *("NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED"),
                    *("EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"),
                ),
                "What the order is now.",
            ),
            "r": TEXT,
            "i": described(INTEGER, "Order id."),
            **dict.fromkeys(("l", "z", "L"), AMOUNT),
            "n": described(TEXT, "Commission."),
            "N": nullable(TEXT),
            "T": TIME,
            "t": described(INTEGER, "Trade id; -1: none."),
            "I": INTEGER,
            **dict.fromkeys(("w", "m", "M"), FLAG),
            "O": TIME,
            **dict.fromkeys(("Z", "Y", "Q"), AMOUNT),
            "V": TEXT,
            **_NUMBER,
        },
        {"W": TIME, "d": INTEGER, "A": AMOUNT},
    ),
    "outboundAccountPosition": record(
        {
            "e": always("outboundAccountPosition"),
            **_OWN_HEAD,
            "u": TIME,
            "B": listed(record({"a": TEXT, "f": AMOUNT, "l": AMOUNT})),
            **_NUMBER,
        }
    ),
    "balanceUpdate": record(
        {
            "e": one_of("balanceUpdate", "externalLockUpdate"),
            **_OWN_HEAD,
            "a": TEXT,
            "d": AMOUNT,
            "T": TIME,
            **_NUMBER,
        }
    ),
    "listStatus": record(
        {
            "e": always("listStatus"),
            **_HEAD,
            "g": INTEGER,
            "c": TEXT,
            "l": one_of("EXEC_STARTED", "ALL_DONE", "RESPONSE"),
            "L": one_of("EXECUTING", "ALL_DONE", "REJECT"),
            "r": TEXT,
            "C": TEXT,
            "T": TIME,
            "O": listed(record({"s": TEXT, "i": INTEGER, "c": TEXT})),
            **_NUMBER,
        }
    ),
    "listenKeyExpired": record({"e": always("listenKeyExpired"), "E": TIME, "listenKey": TEXT}),
    "eventStreamTerminated": record({"e": always("eventStreamTerminated"), "E": TIME}),
}
