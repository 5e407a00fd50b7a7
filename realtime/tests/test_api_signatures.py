"""The signature over sorted parameters, by the documented vector."""

import pytest

from accounts.models import User
from accounts.selectors import Credential
from accounts.signatures import sign
from markets.binance.errors import BinanceError
from realtime.api.session import check_signature

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
SIGNATURE = "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"
PARAMETERS = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
    "newOrderRespType": "ACK",
    "recvWindow": "100",
    "timestamp": "1645423376532",
    "apiKey": KEY,
}


@pytest.fixture
def credential() -> Credential:
    return Credential(KEY, User(), SECRET, frozenset(), "default", (), account=1, revocations=0)


@pytest.mark.parametrize("signature", [SIGNATURE, SIGNATURE.upper()])
def test_the_documented_vector(credential: Credential, signature: str) -> None:
    check_signature(credential, {"signature": signature, **PARAMETERS})


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_parameter_counts(credential: Credential, name: str) -> None:
    changed = {**PARAMETERS, name: PARAMETERS[name] + "0", "signature": SIGNATURE}
    with pytest.raises(BinanceError, match="-1022"):
        check_signature(credential, changed)


@pytest.mark.parametrize("payload", ["newClientOrderId=a:b/c", "newClientOrderId=a%3Ab%2Fc"])
def test_as_it_is_or_percent_encoded(credential: Credential, payload: str) -> None:
    signature = sign(SECRET, payload.encode())
    check_signature(credential, {"newClientOrderId": "a:b/c", "signature": signature})
