"""Every error that can be brought about from outside, with its code, its text and its status."""

from typing import Any

import pytest

from engine.client import EngineOverloaded
from engine.core.rejections import Code
from engine.submit import CommandRefused
from exchange_site.api.problems import PROBLEMS, ProblemError
from exchange_site.errors import CodedError, FieldInvalid
from exchange_site.tests.processes import wait_until
from markets.binance.errors import _STABLE, binance_error
from markets.binance.tests.client import BinanceClient, market, order, said

LONG = "9" * 40
RANGE_ID = "^[0-9]{1,20}$"
RANGE_AMOUNT = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
RANGE_SYMBOL = "^[A-Z0-9-_.]{1,20}$"
RANGE_CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"


def illegal(name: str, legal: str) -> tuple[int, str]:
    return -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."


def mandatory(name: str) -> tuple[int, str]:
    return -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def not_required(name: str) -> tuple[int, str]:
    return -1106, f"Parameter '{name}' sent when not required."


UNSUPPORTED_COMBINATION = (-1014, "Unsupported order combination.")
INVALID_SYMBOL = (-1121, "Invalid symbol.")
BAD_COMBINATION = (-1128, "Combination of optional parameters invalid.")
INSUFFICIENT = (-2010, "Account has insufficient balance for requested action.")
UNKNOWN_ORDER = (-2011, "Unknown order sent.")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
DAY_MS = 86_400_000


def failure(name: str) -> tuple[int, str]:
    return -1013, f"Filter failure: {name}"


@pytest.fixture(scope="module")
def client(exchange: Any) -> BinanceClient:
    credentials = exchange.create_user("v3-errors", fund={"BTC": "0.5", "ETH": "5"})
    return BinanceClient(exchange.url, credentials, address="127.0.1.1")


@pytest.fixture(scope="module")
def traded(client: BinanceClient) -> None:
    """The market has a last price, and so a price band."""
    for side in ("SELL", "BUY"):
        placed = client.post("order", **order(side=side, price="0.05", quantity="0.1"))
        assert placed.status_code == 200, placed.text

    def last_price() -> str:
        return str(client.public("ticker/price", symbol="ETHBTC").json()["price"])

    wait_until(lambda: last_price() == "0.05000000", "the feed knows of the trade")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        # what is no order
        (order(symbol=None), mandatory("symbol")),
        (order(symbol=""), (-1105, "Parameter 'symbol' was empty.")),
        (order(symbol="NOPE"), INVALID_SYMBOL),
        (order(symbol="ethbtc"), illegal("symbol", RANGE_SYMBOL)),
        (order(symbol="ETH/BTC"), illegal("symbol", RANGE_SYMBOL)),
        (order(side=None), mandatory("side")),
        (order(side="buy"), (-1117, "Invalid side.")),
        (order(type=None), mandatory("type")),
        (order(type="limit"), (-1116, "Invalid orderType.")),
        (order(timeInForce="GTX"), (-1115, "Invalid timeInForce.")),
        (order(newOrderRespType="ALL"), (-1136, "Invalid newOrderRespType.")),
        (order(timeInForce=None), mandatory("timeInForce")),
        (order(price=None), mandatory("price")),
        (order(quantity=None), mandatory("quantity")),
        (order(quoteOrderQty="1"), not_required("quoteOrderQty")),
        (order(stopPrice="1"), not_required("stopPrice")),
        (order(type="LIMIT_MAKER"), not_required("timeInForce")),
        (market(price="1"), not_required("price")),
        (market(timeInForce="GTC"), not_required("timeInForce")),
        (market(quoteOrderQty="1"), not_required("quoteOrderQty")),
        (
            market(quantity=None),
            (-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
        ),
        (order(foo="1"), (-1104, "Not all sent parameters were read; read '8' parameter(s) but "
            "was sent '9'.")),
        (order(newClientOrderId="a b"), illegal("newClientOrderId", RANGE_CLIENT_ID)),
        (order(newClientOrderId="x" * 37), illegal("newClientOrderId", RANGE_CLIENT_ID)),
        (order(strategyType="5"), (-1134, "strategyType was less than 1000000.")),
        (order(strategyId="9" * 20), (-1108, "Parameter 'strategyId' overflowed.")),
        (
            order(selfTradePreventionMode="SOME"),
            (-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid."),
        ),
        # what is no amount
        (order(price="-1"), illegal("price", RANGE_AMOUNT)),
        (order(price="1e3"), illegal("price", RANGE_AMOUNT)),
        (order(price="NaN"), illegal("price", RANGE_AMOUNT)),
        (order(price=".5"), illegal("price", RANGE_AMOUNT)),
        (order(price="１"), illegal("price", RANGE_AMOUNT)),  # noqa: RUF001
        (order(quantity="1,5"), illegal("quantity", RANGE_AMOUNT)),
        (order(price=LONG), illegal("price", RANGE_AMOUNT)),
        (order(price="0.020000001"), (-1111, "Parameter 'price' has too much precision.")),
        (order(quantity="1.000000001"), (-1111, "Parameter 'quantity' has too much precision.")),
        (order(price="0"), (-1013, "Invalid price.")),
        (order(quantity="0.000"), (-1013, "Invalid quantity.")),
        # what the market does not take
        (order(price="0.020001"), failure("PRICE_FILTER")),
        (order(price="9" * 12), failure("PRICE_FILTER")),
        (order(quantity="1.0001"), failure("LOT_SIZE")),
        (order(quantity="0.0001"), failure("LOT_SIZE")),
        (order(quantity="1000000"), failure("LOT_SIZE")),
        (order(quantity="9" * 12), failure("LOT_SIZE")),
        (order(quantity="0.001"), failure("NOTIONAL")),
        (order(price="9000", quantity="0.001"), failure("PERCENT_PRICE_BY_SIDE")),
        # what the account has not
        (order(quantity="9999"), INSUFFICIENT),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("traded")
def test_orders(
    client: BinanceClient, parameters: dict[str, object], error: tuple[int, str]
) -> None:
    answer = client.post("order", **parameters)
    assert (answer.status_code, *said(answer)) == (400, *error)
    assert client.get("openOrders").json() == []


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (order(symbol="NOPE"), INVALID_SYMBOL),
        (order(price=None), mandatory("price")),
        (order(price="0.020001"), failure("PRICE_FILTER")),
        (order(quantity="1.0001"), failure("LOT_SIZE")),
        (order(quantity="0.001"), failure("NOTIONAL")),
        (order(price="9000"), failure("PERCENT_PRICE_BY_SIDE")),
    ],
)
@pytest.mark.usefixtures("traded")
def test_a_tested_order_is_checked(
    client: BinanceClient, parameters: dict[str, object], error: tuple[int, str]
) -> None:
    answer = client.post("order/test", **parameters)
    assert (answer.status_code, *said(answer)) == (400, *error)


def test_duplicate_and_post_only(exchange: Any) -> None:
    credentials = exchange.create_user("v3-errors-two", fund={"BTC": "1", "ETH": "5"})
    client = BinanceClient(exchange.url, credentials, address="127.0.1.1")
    sell = order(side="SELL", price="0.05", newClientOrderId="mine")
    placed = client.post("order", **sell)
    assert placed.status_code == 200, placed.text
    assert said(client.post("order", **sell)) == (-2010, "Duplicate order sent.")
    crossing = order(type="LIMIT_MAKER", timeInForce=None, price="0.05")
    refused = client.post("order", **crossing)
    assert said(refused) == (-2010, "Order would immediately match and take.")
    client.delete("order", symbol="ETHBTC", origClientOrderId="mine")
    assert client.post("order", **sell).status_code == 200, "only open orders need differ"
    client.delete("order", symbol="ETHBTC", origClientOrderId="mine")


@pytest.mark.parametrize(
    ("method", "path", "parameters", "error"),
    [
        ("GET", "order", {"symbol": "ETHBTC"}, (-1102, "Param 'origClientOrderId' or 'orderId' "
            "must be sent, but both were empty/null!")),
        ("GET", "order", {"symbol": "ETHBTC", "orderId": 2**62}, NO_SUCH_ORDER),
        ("GET", "order", {"symbol": "ETHBTC", "origClientOrderId": "never"}, NO_SUCH_ORDER),
        ("GET", "order", {"symbol": "ETHBTC", "orderId": 2**62, "origClientOrderId": "mine"},
            NO_SUCH_ORDER),
        ("GET", "order", {"symbol": "NOPE", "orderId": 1}, INVALID_SYMBOL),
        ("GET", "order", {"symbol": "ETHBTC", "orderId": "x"}, illegal("orderId", RANGE_ID)),
        ("DELETE", "order", {"symbol": "ETHBTC", "orderId": 2**62}, UNKNOWN_ORDER),
        ("DELETE", "order", {"symbol": "ETHBTC", "origClientOrderId": "never"}, UNKNOWN_ORDER),
        ("DELETE", "order", {"symbol": "ETHBTC", "orderId": 1, "cancelRestrictions": "NEW"},
            (-1145, "cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED.")),
        ("DELETE", "openOrders", {}, mandatory("symbol")),
        ("DELETE", "openOrders", {"symbol": "SOLUSDT"}, UNKNOWN_ORDER),
        ("GET", "openOrders", {"symbol": "NOPE"}, INVALID_SYMBOL),
        ("GET", "allOrders", {}, mandatory("symbol")),
        ("GET", "allOrders", {"symbol": "ETHBTC", "startTime": 0, "endTime": DAY_MS + 1},
            (-1127, "More than 24 hours between startTime and endTime.")),
        ("GET", "myTrades", {"symbol": "ETHBTC", "startTime": 0, "endTime": DAY_MS + 1},
            (-1127, "More than 24 hours between startTime and endTime.")),
        ("GET", "myTrades", {"symbol": "ETHBTC", "fromId": 1, "startTime": 0}, BAD_COMBINATION),
        ("GET", "account", {"foo": 1}, (-1104, "Not all sent parameters were read; read '2' "
            "parameter(s) but was sent '3'.")),
        ("GET", "rateLimit/order", {"foo": 1}, (-1101, "Too many parameters; expected '2' and "
            "received '3'.")),
    ],
)  # fmt: skip
def test_own_things(
    client: BinanceClient,
    method: str,
    path: str,
    parameters: dict[str, object],
    error: tuple[int, str],
) -> None:
    answer = client.signed(method, path, parameters)
    assert (answer.status_code, *said(answer)) == (400, *error)


@pytest.mark.parametrize(
    ("path", "parameters", "error"),
    [
        ("depth", {}, mandatory("symbol")),
        ("depth", {"symbol": "NOPE"}, INVALID_SYMBOL),
        ("depth", {"symbol": "ETHBTC", "limit": "x"}, illegal("limit", RANGE_ID)),
        ("depth", {"symbol": "ETHBTC", "limit": 0},
            (-1130, "Data sent for parameter 'limit' is not valid.")),
        ("klines", {"symbol": "ETHBTC"}, mandatory("interval")),
        ("klines", {"symbol": "ETHBTC", "interval": "7m"}, (-1120, "Invalid interval.")),
        ("aggTrades", {"symbol": "ETHBTC", "fromId": 1, "endTime": 5}, BAD_COMBINATION),
        ("ticker/24hr", {"type": "TINY"}, (-1139, "Invalid ticker type.")),
        ("ticker/24hr", {"symbol": "ETHBTC", "symbols": '["ETHBTC"]'}, BAD_COMBINATION),
        ("ticker/price", {"symbols": '["ETHBTC","ETHBTC"]'},
            (-1151, "Symbol is present multiple times in the list.")),
        ("ticker/price", {"symbols": '["NOPE"]'}, INVALID_SYMBOL),
        ("ticker/price", {"symbols": "ETHBTC"}, illegal(
            "symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$')),
        ("exchangeInfo", {"symbol": "NOPE"}, INVALID_SYMBOL),
        ("exchangeInfo", {"symbolStatus": "GONE"}, (-1122, "Invalid symbolStatus.")),
        ("exchangeInfo", {"symbol": "ETHBTC", "permissions": "SPOT"}, BAD_COMBINATION),
        ("time", {"foo": 1}, (-1101, "Too many parameters; expected '0' and received '1'.")),
    ],
)  # fmt: skip
def test_market_data(
    client: BinanceClient, path: str, parameters: dict[str, object], error: tuple[int, str]
) -> None:
    answer = client.public(path, **parameters)
    assert (answer.status_code, *said(answer)) == (400, *error)


def test_what_the_operator_forbids_an_account(exchange: Any) -> None:
    name = "v3-errors-frozen"
    client = BinanceClient(
        exchange.url, exchange.create_user(name, fund={"BTC": "1"}), address="127.0.1.1"
    )
    account = exchange.account_of(name)
    limits = {"account": account, "asset": "BTC"}
    exchange.operate("accounts.trading_accounts.notional_limit_set", **limits, amount="0.03")
    assert client.post("order", **order()).status_code == 200
    assert said(client.post("order", **order())) == failure("MAX_POSITION")
    exchange.operate("accounts.trading_accounts.account_configure", account=account, frozen=True)
    refused = client.post("order", **order())
    assert said(refused) == (-2010, "This action is disabled on this account.")
    assert client.delete("openOrders", symbol="ETHBTC").status_code == 200


@pytest.mark.parametrize("query", ["symbol=%ff", "%ff=1", "symbol=ETHBTC&limit=%c3"])
def test_what_is_no_text(client: BinanceClient, query: str) -> None:
    answer = client.raw("GET", "depth", query=query)
    assert said(answer) == (-1100, "Illegal characters found in a parameter.")


def test_paths_and_methods(client: BinanceClient) -> None:
    nowhere = client.public("nowhere")
    assert (nowhere.status_code, *said(nowhere)) == (404, -1020, "This operation is not supported.")
    method = client.raw("PATCH", "order")
    assert (method.status_code, *said(method)) == (405, -1020, "This operation is not supported.")


def test_a_time_unit_that_is_not_offered(client: BinanceClient) -> None:
    answer = client.raw("GET", "time", headers={"X-MBX-TIME-UNIT": "MICROSECOND"})
    assert said(answer) == (
        -1194,
        "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
    )
    fine = client.raw("GET", "time", headers={"X-MBX-TIME-UNIT": "millisecond"})
    assert fine.status_code == 200


@pytest.mark.parametrize("stable", sorted(_STABLE))
def test_every_stable_code_has_its_words(stable: str) -> None:
    """Whichever way the code comes, and with the status that its problem has in kind."""
    found = binance_error(CodedError(stable))
    assert (found.status >= 500) == (PROBLEMS[stable].status >= 500)
    if stable in Code.__members__ and stable != "AMOUNT_OUT_OF_RANGE":
        refused = binance_error(CommandRefused(Code[stable], "why"))
        assert (refused.code, refused.text) == (found.code, found.text)


@pytest.mark.parametrize(
    ("error", "code", "text", "status"),
    [
        (CommandRefused(Code.INVALID_ORDER, ""), *UNSUPPORTED_COMBINATION, 400),
        (CommandRefused(Code.PRICE_OUT_OF_BAND, ""), *failure("PERCENT_PRICE_BY_SIDE"), 400),
        (CommandRefused(Code.POISON, ""), -1000,
            "An unknown error occurred while processing the request.", 400),
        (CommandRefused(Code.EXPIRED, ""), -1021,
            "Timestamp for this request is outside of the recvWindow.", 400),
        (CommandRefused(Code.INVALID_ACCOUNT, ""), *INSUFFICIENT, 400),
        (CodedError("STATUS_UNKNOWN"), -1007, "Timeout waiting for response from backend server. "
            "Send status unknown; execution status unknown.", 504),
        (EngineOverloaded(), -1008, "Server is currently overloaded with other requests. Please "
            "try again in a few minutes.", 503),
        (CodedError("HISTORY_BEHIND"), -1001,
            "Internal error; unable to process your request. Please try again.", 503),
        (ProblemError("BODY_TOO_LARGE"), -1101,
            "Too many parameters sent for this endpoint.", 413),
        (CommandRefused(Code.AMOUNT_OUT_OF_RANGE, ""), *failure("NOTIONAL"), 400),
        (FieldInvalid("price", "INVALID_DECIMAL", ""), -1130,
            "Data sent for parameter 'price' is not valid.", 400),
        (RuntimeError(), -1000,
            "An unknown error occurred while processing the request.", 500),
    ],
)  # fmt: skip
def test_words(error: Exception, code: int, text: str, status: int) -> None:
    found = binance_error(error)
    assert (found.code, found.text, found.status) == (code, text, status)
