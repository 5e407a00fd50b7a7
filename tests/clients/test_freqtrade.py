"""freqtrade trades here with what the page "Connect your bot" gives it. Its install is large."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from exchange_site.tests.processes import wait_until
from markets.binance.tests.client import BinanceClient, market
from tests.clients.environments import LIVES, python_of

WITHIN_S: Final = 120.0
DATABASE: Final = "trades.sqlite"
FUNDS: Final = {"BTC": "1", "USDT": "100000"}
SETTINGS: Final = {
    "max_open_trades": 1,
    "stake_amount": 100,
    "dry_run": False,
    "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "pairlists": [{"method": "StaticPairList"}],
    "initial_state": "running",
    "internals": {"process_throttle_secs": 1},
    # The candle of this minute will do: the market has no older one.
    "exchange": {"_ft_has_params": {"ohlcv_partial_candle": False}},
}


@pytest.fixture
def account(exchange: Any, book: None) -> Any:
    """Of the bot; it has traded, so that there is a candle."""
    credentials = exchange.create_user("clients-freqtrade", fund=FUNDS)
    bought = BinanceClient(exchange.url, credentials).post(
        "order", **market(symbol="BTCUSDT", quantity="0.001")
    )
    assert bought.json()["status"] == "FILLED", bought.text
    return credentials


@pytest.fixture
def configured(exchange: Any, account: Any, tmp_path: Path) -> Path:
    """A folder with the settings of the bot and with what the page gives it."""
    snippets = exchange.operate(
        "markets.connecting.connect_snippets",
        scheme="http",
        host=exchange.url.removeprefix("http://"),
        key=account["api_key"],
        secret=account["secret_key"],
    )
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    (tmp_path / "snippet.json").write_text(snippets["freqtrade"])
    return tmp_path


@pytest.fixture
def bot(configured: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (configured / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(str(python_of("freqtrade")), "-m", "freqtrade", "trade", "--userdir", "."),
                *("--config", "settings.json", "--config", "snippet.json"),
                *("--strategy", "Flip", "--strategy-path", str(LIVES / "freqtrade")),
                *("--db-url", f"sqlite:///{DATABASE}"),
            ],
            cwd=configured,
            stdout=log,
            stderr=log,
        )
        yield process
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()


@pytest.mark.heavy
def test_it_buys_and_sells(bot: "subprocess.Popen[bytes]", configured: Path) -> None:
    def log() -> str:
        return (configured / "log").read_text()

    def ended() -> list[Any]:
        assert bot.poll() is None, log()
        return trades(configured / DATABASE)

    wait_until(ended, "it has bought and sold", timeout_s=WITHIN_S)
    assert ended()[0] == (50000.0, 49000.0)
    assert "Traceback" not in log()
    assert " - ERROR - " not in log(), log()


def trades(database: Path) -> list[Any]:
    """At which prices it bought and sold."""
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
        if ("trades",) not in names:
            return []
        ended = "SELECT open_rate, close_rate FROM trades WHERE NOT is_open"
        return connection.execute(ended).fetchall()
