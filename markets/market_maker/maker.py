"""The loop: a turn a second, for all markets with one request of each kind; and after anything
uncertain all starts from nothing."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from threading import Event
from time import monotonic
from typing import Any, Final, TypeVar

from markets.market_maker.api import Api, Key, Unsure
from markets.market_maker.ladder import Ladder, Quote
from markets.market_maker.parameters import Parameters, Rules
from markets.market_maker.taking import Taker
from markets.market_maker.users import MAKER, TAKER
from markets.market_maker.walk import RandomWalk

BACK_OFF_S: Final = (0.2, 5.0)
"""After something uncertain: the first wait and the longest."""

LOOK_EVERY: Final = 5
"""Turns between two looks at which orders still stand."""

MAX_LIST: Final = 100
"""Orders of one request."""

TOP_UP_EVERY_S: Final = 3600.0

_Item = TypeVar("_Item")

logger = logging.getLogger(__name__)


@dataclass
class Quoted:
    """All about one market."""

    rules: Rules
    walk: RandomWalk
    ladder: Ladder
    taker: Taker


class MarketMaker:
    def __init__(
        self,
        parameters: Parameters,
        api: Api,
        keys: dict[str, Key],
        rules: dict[str, Rules],
        top_up: Callable[[str, dict[str, Decimal]], None],
    ) -> None:
        """`rules` are those of all markets in `parameters`; `top_up` is given a user's name and
        balances."""
        self._parameters = parameters
        self._api = api
        self._maker, self._taker = keys[MAKER], keys[TAKER]
        self._keys = keys
        self._rules = rules
        self._top_up = top_up
        self._random = Random(parameters.seed)  # noqa: S311 - a walk, no secret
        self._markets: list[Quoted] = []
        self._turns = 0
        self._topped_up_at = float("-inf")

    def run(self, stop: Event) -> None:
        """Until `stop` is set. Turns that were missed are not made up for."""
        wait_s = BACK_OFF_S[0]
        while not stop.is_set():
            try:
                self.start()
                logger.info("quoting %s", ", ".join(q.rules.symbol for q in self._markets))
                wait_s = BACK_OFF_S[0]
                self._take_turns(stop)
            except Unsure as error:
                logger.warning("starting again: %s", error)
                stop.wait(wait_s)
                wait_s = min(2 * wait_s, BACK_OFF_S[1])

    def start(self) -> None:
        """From an unknown state to one without orders, funded, with the walks where they were."""
        for key in self._keys.values():
            while _list(self._api.send(key, "DELETE", "/orders")):
                pass
        for quoted in self._markets:
            quoted.ladder.clear()
        self._turns = 0
        self._fund()
        if not self._markets:
            self._markets = self._read_markets()

    def _read_markets(self) -> list[Quoted]:
        tickers = _list(self._api.send(self._maker, "GET", "/tickers"))
        last = {ticker["symbol"]: ticker["last"] for ticker in tickers}
        return [
            self._quoted(symbol, float(last.get(symbol) or start), float(start))
            for symbol, start in self._parameters.markets.items()
        ]

    def _quoted(self, symbol: str, last: float, start: float) -> Quoted:
        p, rules, random = self._parameters, self._rules[symbol], self._random
        # Worth as much in every market: BTC is quoted at the start of its own walk.
        notional = p.notional
        if symbol.endswith("BTC"):
            notional /= float(p.markets.get("BTCUSDT", "50000"))
        return Quoted(
            rules,
            RandomWalk(last, sigma=p.step_sigma, limit=p.step_limit, random=random),
            Ladder(rules, p, start=start, notional=notional, random=random),
            Taker(rules, p, notional=notional, random=random),
        )

    def _fund(self) -> None:
        if monotonic() - self._topped_up_at < TOP_UP_EVERY_S:
            return
        for username, key in self._keys.items():
            held = _list(self._api.send(key, "GET", "/balances"))
            self._top_up(
                username,
                {b["asset"]: Decimal(b["available"]) + Decimal(b["locked"]) for b in held},
            )
        self._topped_up_at = monotonic()

    def _take_turns(self, stop: Event) -> None:
        due = monotonic()
        while not stop.wait(max(0.0, due - monotonic())):
            due = max(due, monotonic() - self._parameters.interval_s) + self._parameters.interval_s
            self.turn()
            self._fund()

    def turn(self) -> None:
        """One step of each walk, and the orders that follow it. Raises Unsure."""
        if self._turns % LOOK_EVERY == 0:
            self._look()
        self._turns += 1
        steps = [(quoted, quoted.walk.step()) for quoted in self._markets]
        changes = [(quoted, quoted.ladder.change(price)) for quoted, price in steps]
        self._cancel([(q, order_id) for q, change in changes for order_id in change.cancel])
        self._place([(q, quote) for q, change in changes for quote in change.place])
        self._take([(q, quote) for q, price in steps if (quote := q.taker.next(price)) is not None])

    def _look(self) -> None:
        """Which orders still stand; the others were filled."""
        standing = {o["order_id"] for o in _list(self._api.send(self._maker, "GET", "/order/open"))}
        for quoted in self._markets:
            quoted.ladder.keep_only(standing)

    def _cancel(self, orders: list[tuple[Quoted, int]]) -> None:
        for some in _in_lists(orders):
            ids = [{"symbol": q.rules.symbol, "order_id": order_id} for q, order_id in some]
            answer = self._api.send(self._maker, "DELETE", "/orders", body={"orders": ids})
            for (quoted, order_id), result in zip(some, _list(answer), strict=True):
                if result.get("code", "UNKNOWN_ORDER") != "UNKNOWN_ORDER":
                    raise Unsure(f"cancel: {result['code']}")
                quoted.ladder.gone(order_id)

    def _place(self, quotes: list[tuple[Quoted, Quote]]) -> None:
        for quoted, quote, result in self._send(self._maker, quotes, post_only=True):
            match result.get("code"):
                case None:
                    quoted.ladder.placed(quote, result["order_id"])
                case "WOULD_TAKE":
                    # A stranger's order stands there: the same order as a taker's meets it.
                    quoted.taker.blocked(quote)
                case "STATUS_UNKNOWN" | "ENGINE_UNAVAILABLE" | "ENGINE_OVERLOADED":
                    raise Unsure(f"place: {result['code']}")
                case code:
                    logger.info("%s: %s: %s", quoted.rules.symbol, code, result["detail"])

    def _take(self, quotes: list[tuple[Quoted, Quote]]) -> None:
        for quoted, _, result in self._send(self._taker, quotes, time_in_force="ioc"):
            if "code" in result:
                logger.info("%s: %s", quoted.rules.symbol, result["code"])

    def _send(
        self, key: Key, quotes: list[tuple[Quoted, Quote]], **more: Any
    ) -> Iterator[tuple[Quoted, Quote, Any]]:
        """Place orders, and give each with its result."""
        for some in _in_lists(quotes):
            orders = [self._order(quoted, quote, **more) for quoted, quote in some]
            results = _list(self._api.send(key, "POST", "/orders", body={"orders": orders}))
            for (quoted, quote), result in zip(some, results, strict=True):
                yield quoted, quote, result

    def _order(self, quoted: Quoted, quote: Quote, **more: Any) -> dict[str, Any]:
        return {
            "symbol": quoted.rules.symbol,
            "side": quote.side.value,
            "type": "limit",
            "price": quoted.rules.price_text(quote.ticks),
            "quantity": quoted.rules.quantity_text(quote.steps),
            **more,
        }


def _list(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise Unsure(f"{answer.get('code')}: {answer.get('detail')}")
    return answer


def _in_lists(items: list[_Item]) -> list[list[_Item]]:
    """As many at a time as the API takes."""
    return [items[start : start + MAX_LIST] for start in range(0, len(items), MAX_LIST)]
