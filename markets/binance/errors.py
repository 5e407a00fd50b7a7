"""Every error of this surface, with Binance's code and text: clients match them to the letter.

Source: "Error codes" of Binance's public spot API documentation, but for the few of which
`docs/BINANCE.md` says where they come from. The HTTP status is 400 unless the caller is not known
(401), limits are exceeded (429, then 418), or the fault is ours (5xx).
"""

import logging
from typing import Any, Final, NamedTuple

from rest_framework import exceptions

from engine.client import EngineOverloaded, EngineUnavailable, StatusUnknown
from engine.core.rejections import Code
from engine.submit import CommandRefused
from exchange_site.api.problems import ProblemError
from exchange_site.database.remembered import TROUBLE
from exchange_site.errors import CodedError

_log = logging.getLogger(__name__)


class BinanceError(Exception):
    """Ends a request with `{"code": ..., "msg": ...}` and this HTTP status."""

    def __init__(self, code: int, text: str, *, status: int = 400, data: object = None) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status
        self.data = data
        """What else there is to say of it, for the few errors that say more."""


class Words(NamedTuple):
    code: int
    text: str
    status: int = 400

    def error(self, *values: object) -> BinanceError:
        """With `values` in the places of the text."""
        return BinanceError(self.code, self.text.format(*values), status=self.status)


# the server
UNKNOWN: Final = Words(-1000, "An unknown error occurred while processing the request.", status=500)
NOT_DONE: Final = UNKNOWN._replace(status=400)
"""An error of ours that is known to have changed nothing."""
DISCONNECTED: Final = Words(
    -1001, "Internal error; unable to process your request. Please try again.", status=503
)
TOO_MUCH_WEIGHT: Final = Words(
    -1003,
    "Too much request weight used; current limit is {} request weight per 1 MINUTE. Please use "
    "WebSocket Streams for live updates to avoid polling the API.",
    status=429,
)
BANNED: Final = Words(
    -1003,
    "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live "
    "updates to avoid bans.",
    status=418,
)
TIMEOUT: Final = Words(
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status "
    "unknown.",
    status=504,
)
OVERLOADED: Final = Words(
    -1008,
    "Server is currently overloaded with other requests. Please try again in a few minutes.",
    status=503,
)
UNKNOWN_ORDER_COMPOSITION: Final = Words(-1014, "Unsupported order combination.")
TOO_MANY_ORDERS: Final = Words(
    -1015, "Too many new orders; current limit is {} orders per {}.", status=429
)
UNSUPPORTED_OPERATION: Final = Words(-1020, "This operation is not supported.")
OUTSIDE_RECV_WINDOW: Final = Words(
    -1021, "Timestamp for this request is outside of the recvWindow."
)
AHEAD_OF_TIME: Final = Words(
    -1021, "Timestamp for this request was 1000ms ahead of the server's time."
)
INVALID_SIGNATURE: Final = Words(-1022, "Signature for this request is not valid.")

# the request
ILLEGAL_ENCODING: Final = Words(-1100, "Illegal characters found in a parameter.")
ILLEGAL_CHARACTERS: Final = Words(
    -1100, "Illegal characters found in parameter '{}'; legal range is '{}'."
)
TOO_MANY_PARAMETERS: Final = Words(-1101, "Too many parameters; expected '{}' and received '{}'.")
TOO_LARGE: Final = Words(-1101, "Too many parameters sent for this endpoint.", status=413)
DUPLICATE_PARAMETER: Final = Words(-1101, "Duplicate values for a parameter detected.")
MANDATORY_PARAMETER: Final = Words(
    -1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
)
TOO_GREAT: Final = Words(-1102, "'{}' contains unexpected value. Cannot be greater than {}.")
ONE_OF_TWO: Final = Words(-1102, "Param '{}' or '{}' must be sent, but both were empty/null!")
UNREAD_PARAMETERS: Final = Words(
    -1104, "Not all sent parameters were read; read '{}' parameter(s) but was sent '{}'."
)
EMPTY_PARAMETER: Final = Words(-1105, "Parameter '{}' was empty.")
NOT_REQUIRED: Final = Words(-1106, "Parameter '{}' sent when not required.")
OVERFLOW: Final = Words(-1108, "Parameter '{}' overflowed.")
BAD_PRECISION: Final = Words(-1111, "Parameter '{}' has too much precision.")
INVALID_TIF: Final = Words(-1115, "Invalid timeInForce.")
INVALID_ORDER_TYPE: Final = Words(-1116, "Invalid orderType.")
INVALID_SIDE: Final = Words(-1117, "Invalid side.")
INVALID_INTERVAL: Final = Words(-1120, "Invalid interval.")
INVALID_SYMBOL: Final = Words(-1121, "Invalid symbol.")
INVALID_SYMBOL_STATUS: Final = Words(-1122, "Invalid symbolStatus.")
INVALID_LISTEN_KEY: Final = Words(-1125, "This listenKey does not exist.")
MORE_THAN_24_HOURS: Final = Words(-1127, "More than 24 hours between startTime and endTime.")
BAD_COMBINATION: Final = Words(-1128, "Combination of optional parameters invalid.")
INVALID_DATA: Final = Words(-1130, "Data sent for parameter '{}' is not valid.")
INVALID_NEW_QUANTITY: Final = Words(-1130, "Data sent for parameter 'newQty' is not valid.")
BAD_STRATEGY_TYPE: Final = Words(-1134, "strategyType was less than 1000000.")
INVALID_RESPONSE_TYPE: Final = Words(-1136, "Invalid newOrderRespType.")
INVALID_TICKER_TYPE: Final = Words(-1139, "Invalid ticker type.")
INVALID_CANCEL_RESTRICTIONS: Final = Words(
    -1145, "cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED."
)
NO_TYPE_OF_A_LIST: Final = Words(-1158, "Order type not supported in OCO.")
ICEBERG_OF_A_LIST: Final = Words(
    -1160, "Parameter '{}' is not supported if aboveTimeInForce/belowTimeInForce is not GTC."
)
LIMIT_BELOW: Final = Words(-1165, "A limit order in a buy OCO must be below.")
LIMIT_ABOVE: Final = Words(-1166, "A limit order in a sell OCO must be above.")
BOTH_LIMIT: Final = Words(-1168, "At least one OCO order must be contingent.")
STOP_LOSS_ABOVE: Final = Words(-1196, "A stop loss order in a buy OCO must be above.")
STOP_LOSS_BELOW: Final = Words(-1197, "A stop loss order in a sell OCO must be below.")
TAKE_PROFIT_BELOW: Final = Words(-1198, "A take profit order in a buy OCO must be below.")
TAKE_PROFIT_ABOVE: Final = Words(-1199, "A take profit order in a sell OCO must be above.")
DUPLICATE_SYMBOLS: Final = Words(-1151, "Symbol is present multiple times in the list.")
INVALID_TIME_UNIT: Final = Words(
    -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
)

# the order, before the engine sees it
INVALID_PRICE: Final = Words(-1013, "Invalid price.")
INVALID_QUANTITY: Final = Words(-1013, "Invalid quantity.")
FILTER_FAILURE: Final = Words(-1013, "Filter failure: {}")

# the order, by the engine
INSUFFICIENT_BALANCE: Final = Words(-2010, "Account has insufficient balance for requested action.")
WOULD_TAKE: Final = Words(-2010, "Order would immediately match and take.")
WOULD_TRIGGER: Final = Words(-2010, "Order would trigger immediately.")
DUPLICATE_ORDER: Final = Words(-2010, "Duplicate order sent.")
ICEBERG_TOO_LARGE: Final = Words(-2010, "IcebergQty exceeds QTY.")
MARKET_IS_CLOSED: Final = Words(-2010, "Market is closed.")
DISABLED_ACCOUNT: Final = Words(-2010, "This action is disabled on this account.")
BAD_LIST_PRICES: Final = Words(
    -2010, "The relationship of the prices for the orders is not correct."
)
UNKNOWN_ORDER_SENT: Final = Words(-2011, "Unknown order sent.")
UNKNOWN_LIST_SENT: Final = Words(-2011, "Unknown order list sent.")
CANCEL_RESTRICTED: Final = Words(-2011, "Order was not canceled due to cancel restrictions.")
NO_SUCH_ORDER: Final = Words(-2013, "Order does not exist.")
OTHER_CLIENT_ORDER_ID: Final = Words(-2039, "Client order ID is not correct for this order ID.")
INCREASED: Final = Words(-2038, "Order amend (quantity increase) is not supported.")
UNCHANGED: Final = Words(-2038, "The requested action would change no state; rejecting.")

NO_SUCH_LIST: Final = Words(-2013, "Order list does not exist.")
REPLACED_PARTLY: Final = Words(-2021, "Order cancel-replace partially failed.", status=409)
NOT_REPLACED: Final = Words(-2022, "Order cancel-replace failed.")

# the caller
BAD_API_KEY_FORMAT: Final = Words(-2014, "API-key format invalid.", status=401)
REJECTED_API_KEY: Final = Words(
    -2015, "Invalid API-key, IP, or permissions for action.", status=401
)


def _filter(name: str) -> Words:
    return Words(FILTER_FAILURE.code, FILTER_FAILURE.text.format(name))


_STABLE: Final[dict[str, Words]] = {
    # the engine: the command
    "MALFORMED": NOT_DONE,
    "POISON": NOT_DONE,
    "EXPIRED": OUTSIDE_RECV_WINDOW,
    "KEY_REUSED": DUPLICATE_ORDER,
    # the engine: what it speaks of
    "UNKNOWN_ASSET": INVALID_SYMBOL,
    "UNKNOWN_MARKET": INVALID_SYMBOL,
    "UNKNOWN_ORDER": NO_SUCH_ORDER,
    "CANCEL_RESTRICTED": CANCEL_RESTRICTED,
    "UNKNOWN_ORDER_LIST": UNKNOWN_LIST_SENT,
    "INVALID_ACCOUNT": INSUFFICIENT_BALANCE,
    "DUPLICATE_CLIENT_ORDER_ID": DUPLICATE_ORDER,
    # the engine: the order's form
    "INVALID_ORDER": UNKNOWN_ORDER_COMPOSITION,
    "INVALID_ORDER_LIST": BAD_LIST_PRICES,
    "INVALID_AMENDMENT": INVALID_NEW_QUANTITY,
    "AMOUNT_OUT_OF_RANGE": _filter("NOTIONAL"),
    "PRICE_OFF_TICK": _filter("PRICE_FILTER"),
    "QUANTITY_OFF_STEP": _filter("LOT_SIZE"),
    "QUANTITY_TOO_SMALL": _filter("LOT_SIZE"),
    "QUANTITY_TOO_LARGE": _filter("LOT_SIZE"),
    "TOO_MANY_PARTS": _filter("ICEBERG_PARTS"),
    "NOTIONAL_TOO_SMALL": _filter("NOTIONAL"),
    "NOTIONAL_TOO_LARGE": _filter("NOTIONAL"),
    "PRICE_OUT_OF_BAND": _filter("PERCENT_PRICE_BY_SIDE"),
    # the engine: the market's phase and the account's limits
    "PHASE_FORBIDS": MARKET_IS_CLOSED,
    "ACCOUNT_FROZEN": DISABLED_ACCOUNT,
    "TOO_MANY_ORDERS": _filter("MAX_NUM_ORDERS"),
    "TOO_MANY_CONDITIONAL_ORDERS": _filter("MAX_NUM_ALGO_ORDERS"),
    "NOTIONAL_LIMIT_EXCEEDED": _filter("MAX_POSITION"),
    # the engine: the book and the balances
    "NO_LAST_PRICE": UNKNOWN_ORDER_COMPOSITION,
    "WOULD_TRIGGER": WOULD_TRIGGER,
    "WOULD_TAKE": WOULD_TAKE,
    "INSUFFICIENT_BALANCE": INSUFFICIENT_BALANCE,
    # the site itself
    "BODY_TOO_LARGE": TOO_LARGE,
    "SERVER_OVERLOADED": OVERLOADED,
    "ENGINE_UNAVAILABLE": DISCONNECTED,
    "ENGINE_OVERLOADED": OVERLOADED,
    "DATABASE_UNAVAILABLE": DISCONNECTED,
    "FEED_UNAVAILABLE": DISCONNECTED,
    "HISTORY_BEHIND": DISCONNECTED,
    "STATUS_UNKNOWN": TIMEOUT,
}
"""What our stable codes are in Binance's words. `markets/binance/tests/test_errors.py` reaches
each of them."""

_ELSEWHERE: Final = frozenset(
    {
        Code.INVALID_ASSET,
        Code.INVALID_MARKET,
        Code.INVALID_FEES,
        Code.INVALID_PHASE,
        Code.INVALID_LIMIT,
        Code.INVALID_TIMER,
        Code.UNKNOWN_WITHDRAWAL,
        Code.TOO_MANY_WITHDRAWALS,
    }
)
"""Codes of what this surface does not offer."""

# Every code of the core that an order can bring has its words; a new one must be given them.
assert all(code.value in _STABLE for code in Code if code not in _ELSEWHERE)

_FIELDS: Final = {
    "price": "price",
    "quantity": "quantity",
    "new_quantity": "newQty",
    "quote_quantity": "quoteOrderQty",
    "stop_price": "stopPrice",
    "visible_quantity": "icebergQty",
    "client_order_id": "newClientOrderId",
}
_FILTER_OF_FIELD: Final = {
    "price": "PRICE_FILTER",
    "stop_price": "PRICE_FILTER",
    "quantity": "LOT_SIZE",
    "visible_quantity": "LOT_SIZE",
}


NEW_ORDER_REJECTED: Final = -2010
CANCEL_REJECTED: Final = -2011
AMEND_REJECTED: Final = -2038


def rejection(refused: CommandRefused, code: int) -> BinanceError:
    """Of a command that places no order: the engine's reasons are the same, and the code says what
    was refused."""
    error = binance_error(refused)
    if error.code == NEW_ORDER_REJECTED:
        error.code = code
    return error


def binance_error(error: Exception) -> BinanceError:
    """The error in Binance's words. What nobody expected is logged, and is theirs for unknown."""
    match error:
        case BinanceError():
            return error
        case CodedError():
            return _of_coded(error)
        case CommandRefused():
            return _STABLE.get(error.code.value, UNKNOWN_ORDER_COMPOSITION).error()
        case ProblemError():
            return _of_problem(error)
        case EngineOverloaded():
            return OVERLOADED.error()
        case EngineUnavailable():
            return DISCONNECTED.error()
        case StatusUnknown():
            return TIMEOUT.error()
        case exceptions.MethodNotAllowed():
            return BinanceError(*UNSUPPORTED_OPERATION[:2], status=405)
        case _ if isinstance(error, TROUBLE):
            return DISCONNECTED.error()
        case _:
            _log.error("an error of ours", exc_info=error)
            return UNKNOWN.error()


def _of_coded(error: CodedError) -> BinanceError:
    field = error.field or ""
    match error.code:
        case "TOO_MANY_DECIMALS":
            return BAD_PRECISION.error(_FIELDS.get(field, field))
        case "AMOUNT_OUT_OF_RANGE":
            return FILTER_FAILURE.error(_FILTER_OF_FIELD.get(field, "NOTIONAL"))
        case code if code in _STABLE:
            return _STABLE[code].error()
        case _:
            return INVALID_DATA.error(_FIELDS.get(field, field))


def _of_problem(error: ProblemError) -> BinanceError:
    code = error.problem.code
    return _STABLE[code].error() if code in _STABLE else ILLEGAL_ENCODING.error()


def error_body(error: BinanceError) -> dict[str, Any]:
    said = {"code": error.code, "msg": error.text}
    return said if error.data is None else {**said, "data": error.data}
