"""Where the feeds' state stands in the shared Redis, and its format.

| key | holds |
| --- | --- |
| `feed:lease` | the name of the publisher that leads |
| `feed:epoch` | counts the leaderships |
| `feed:state:<format>` | `FeedsState`: the position in the journal, the definitions |
| `feed:generation` | another one where the feeds began anew: nothing follows on what was sent |
| `feed:frames` | the frames of the last step as they were published: channel and message in turn |
| `feed:markets` | `MarketState` by symbol |
| `feed:phases` | the market's phase by symbol |
| `feed:numbers` | the number of its newest event by account |
| `feed:tickers` | `Statistics` by symbol |
| `feed:<symbol>:number` | the number of the newest change in the levels below |
| `feed:<symbol>:bids`, `:asks` | quantity by price |
| `feed:<symbol>:bids:prices`, `:asks:prices` | the prices in order, as text of equal length |
| `feed:<symbol>:candles` | `LiveCandle` by interval |
| `feed:<symbol>:minutes` | `Minute` by open time: the last 24 hours |

Values are JSON, but for the messages. Prices and quantities are integers, in smallest units.

The format is that of everything here. A version that meets another one, older or newer, finds no
state of its own: it makes the feeds anew, in the place of all that was there.
"""

from typing import Final

FORMAT: Final = 2
"""To be raised with each change of what is stored, of which an older version would make something
else. The first one had no number: its state is `feed:state`."""

LEASE: Final = "feed:lease"
EPOCH: Final = "feed:epoch"
STATE: Final = f"feed:state:{FORMAT}"
GENERATION: Final = "feed:generation"
FRAMES: Final = "feed:frames"
MARKETS: Final = "feed:markets"
TICKERS: Final = "feed:tickers"
PHASES: Final = "feed:phases"
NUMBERS: Final = "feed:numbers"
ALL: Final = "feed:*"

PRICE_DIGITS: Final = 19
"""Of the largest price, 2^63 - 1. Scores of a sorted set are floats and would not hold it."""


def number(symbol: str) -> str:
    return f"feed:{symbol}:number"


def side(symbol: str, name: str) -> str:
    """`name` is bids or asks."""
    return f"feed:{symbol}:{name}"


def prices(symbol: str, name: str) -> str:
    return f"feed:{symbol}:{name}:prices"


def candles(symbol: str) -> str:
    return f"feed:{symbol}:candles"


def minutes(symbol: str) -> str:
    return f"feed:{symbol}:minutes"


def price_text(price: int) -> str:
    return f"{price:0{PRICE_DIGITS}d}"
