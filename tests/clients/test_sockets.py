"""The sockets of the real, unmodified clients."""

import pytest

from tests.clients.environments import LIVES, live, python_of


@pytest.mark.parametrize(
    ("client", "life"),
    [("ccxt", "ccxt_pro.py"), ("python-binance", "python_binance_sockets.py")],
)
def test_sockets_of(trader: list[str], client: str, life: str) -> None:
    live(str(python_of(client)), str(LIVES / life), *trader)
