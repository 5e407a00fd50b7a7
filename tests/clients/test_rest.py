"""The real, unmodified clients trade here, from loading the markets to their own trades."""

import pytest

from tests.clients.environments import LIVES, live, node, node_modules, python_of


@pytest.mark.parametrize(
    ("client", "life"),
    [
        ("ccxt", "ccxt_rest.py"),
        ("python-binance", "python_binance.py"),
        ("binance-connector", "binance_connector.py"),
    ],
)
def test_life_of(trader: list[str], client: str, life: str) -> None:
    live(str(python_of(client)), str(LIVES / life), *trader)


@pytest.mark.heavy
def test_life_of_ccxt_for_javascript(trader: list[str]) -> None:
    live(*node(), str(LIVES / "ccxt_npm.mjs"), str(node_modules()), *trader)
