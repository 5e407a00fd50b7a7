"""The page that tells how a bot is connected to this installation, with its real address."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from engine.amounts import format_amount
from markets import live
from markets.definitions import MarketDefinition, list_definitions

_DOTS: Final = "..."

_CLIENTS: Final = (
    ("ccxt", "connect/ccxt.py.txt", ""),
    ("python-binance", "connect/python_binance.py.txt", ""),
    ("freqtrade", "connect/freqtrade.json.txt", "In config.json:"),
    (
        "hummingbot",
        "connect/hummingbot.py.txt",
        "In a file that is imported before the connector starts, such as a script of yours; then "
        "`connect binance`.",
    ),
)


@require_safe
def connect(request: HttpRequest) -> HttpResponse:
    snippets = connect_snippets(request.scheme or "http", request.get_host())
    clients = [
        {"id": name, "name": name, "note": note, "snippet": snippets[name]}
        for name, _, note in _CLIENTS
        if name in snippets
    ]
    return render(request, "account/connect.html", {"clients": clients})


def connect_snippets(
    scheme: str, host: str, *, key: str = _DOTS, secret: str = _DOTS
) -> dict[str, str]:
    """By client; none before the first market is defined."""
    markets = list_definitions()
    if not markets:
        return {}
    secure = "s" if scheme == "https" else ""
    context: dict[str, Any] = {
        "scheme": scheme,
        "ws_scheme": f"ws{secure}",
        "host": host,
        "url": f"{scheme}://{host}",
        "ws_url": f"ws{secure}://{host}",
        "key": key,
        "secret": secret,
        "market": markets[0],
        **_order(markets[0]),
    }
    return {name: render_to_string(template, context) for name, template, _ in _CLIENTS}


def _order(market: MarketDefinition) -> dict[str, str]:
    """A small one, far below the last price, which stands and does no harm."""
    rules, unit = market.rules, 10**market.base_scale
    last = _last_price(market)
    price = max(rules.tick, last // 2 - last // 2 % rules.tick)
    needed = max(rules.min_quantity, -(-rules.min_notional * unit // price))
    quantity = -(-needed // rules.step) * rules.step
    return {
        "price": format_amount(price, market.quote_scale),
        "quantity": format_amount(quantity, market.base_scale),
    }


def _last_price(market: MarketDefinition) -> int:
    try:
        depth = live.get_depth(market=market.symbol, limit=1)
    except live.FeedUnavailable:
        return 0
    return depth.last_price or 0
