"""The sockets of the real, unmodified clients."""

from tests.clients.environments import LIVES, live, python_of


def test_sockets_of_ccxt_pro(trader: list[str]) -> None:
    live(str(python_of("ccxt")), str(LIVES / "ccxt_pro.py"), *trader)
