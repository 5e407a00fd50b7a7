"""Every error of this surface is one that Binance documents, to the letter, or is named here."""

import re

import pytest

from markets.binance import errors
from markets.binance.errors import Words
from realtime.api import messages, user_data

DOCUMENTED = {
    -1000: ["An unknown error occurred while processing the request."],
    -1001: ["Internal error; unable to process your request. Please try again."],
    -1003: [
        "Too much request weight used; current limit is %s request weight per %s. Please use "
        "WebSocket Streams for live updates to avoid polling the API.",
        "Way too much request weight used; IP banned until %s. Please use WebSocket Streams for "
        "live updates to avoid bans.",
    ],
    -1007: [
        "Timeout waiting for response from backend server. Send status unknown; execution status "
        "unknown."
    ],
    -1008: [
        "Server is currently overloaded with other requests. Please try again in a few minutes."
    ],
    -1013: ["Filter failure: %s"],
    -1014: ["Unsupported order combination."],
    -1015: ["Too many new orders; current limit is %s orders per %s."],
    -1020: ["This operation is not supported."],
    -1021: [
        "Timestamp for this request is outside of the recvWindow.",
        "Timestamp for this request was 1000ms ahead of the server's time.",
    ],
    -1022: ["Signature for this request is not valid."],
    -1100: [
        "Illegal characters found in a parameter.",
        "Illegal characters found in parameter '%s'; legal range is '%s'.",
    ],
    -1101: [
        "Too many parameters sent for this endpoint.",
        "Too many parameters; expected '%s' and received '%s'.",
        "Duplicate values for a parameter detected.",
    ],
    -1102: [
        "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
        "Param '%s' or '%s' must be sent, but both were empty/null!",
        "'%s' contains unexpected value. Cannot be greater than %s.",
    ],
    -1104: ["Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'."],
    -1105: ["Parameter '%s' was empty."],
    -1106: ["Parameter '%s' sent when not required."],
    -1108: ["Parameter '%s' overflowed."],
    -1111: ["Parameter '%s' has too much precision."],
    -1115: ["Invalid timeInForce."],
    -1116: ["Invalid orderType."],
    -1117: ["Invalid side."],
    -1120: ["Invalid interval."],
    -1121: ["Invalid symbol."],
    -1122: ["Invalid symbolStatus."],
    -1125: ["This listenKey does not exist."],
    -1127: ["More than %s hours between startTime and endTime."],
    -1128: ["Combination of optional parameters invalid."],
    -1130: ["Data sent for parameter '%s' is not valid."],
    -1134: ["strategyType was less than 1000000."],
    -1135: ["Invalid JSON Request"],
    -1139: ["Invalid ticker type."],
    -1145: ["cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED."],
    -1151: ["Symbol is present multiple times in the list."],
    -1158: ["Order type not supported in OCO."],
    -1160: ["Parameter '%s' is not supported if aboveTimeInForce/belowTimeInForce is not GTC."],
    -1165: ["A limit order in a buy OCO must be below."],
    -1166: ["A limit order in a sell OCO must be above."],
    -1168: ["At least one OCO order must be contingent."],
    -1194: ["Invalid value for time unit; expected either MICROSECOND or MILLISECOND."],
    -1196: ["A stop loss order in a buy OCO must be above."],
    -1197: ["A stop loss order in a sell OCO must be below."],
    -1198: ["A take profit order in a buy OCO must be below."],
    -1199: ["A take profit order in a sell OCO must be above."],
    -2010: [
        "Account has insufficient balance for requested action.",
        "Order would immediately match and take.",
        "Order would trigger immediately.",
        "Duplicate order sent.",
        "IcebergQty exceeds QTY.",
        "Market is closed.",
        "This action is disabled on this account.",
        "The relationship of the prices for the orders is not correct.",
    ],
    -2011: ["Unknown order sent.", "Order was not canceled due to cancel restrictions."],
    -2013: ["Order does not exist."],
    -2014: ["API-key format invalid."],
    -2015: ["Invalid API-key, IP, or permissions for action."],
    -2021: ["Order cancel-replace partially failed."],
    -2022: ["Order cancel-replace failed."],
    -2038: [
        "Order amend (quantity increase) is not supported.",
        "The requested action would change no state; rejecting.",
    ],
    -2039: ["Client order ID is not correct for this order ID."],
    -2042: ["Maximum subscription ID reached for this connection."],
}
"""From "Error codes", without the marks of its formatting; the point at the end of the last text
but two stands in the example of the FIX API."""

ELSEWHERE = {
    (-1013, "Invalid price."),
    (-1013, "Invalid quantity."),
    (-1136, "Invalid newOrderRespType."),
    (-2011, "Unknown order list sent."),
    (-2013, "Order list does not exist."),
    (-9001, "resync: what came after event {} is not kept."),
}
"""As `docs/BINANCE.md` and `docs/STREAMS.md` say where they come from."""

FILTERS = {
    *("PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE", "TRAILING_DELTA"),
    *("ICEBERG_PARTS", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS", "MAX_POSITION"),
}

WORDS = {
    words
    for module in (errors, messages, user_data)
    for words in [*vars(module).values(), *errors._STABLE.values()]
    if isinstance(words, Words)
}


@pytest.mark.parametrize("words", sorted(WORDS))
def test_it_is_documented(words: Words) -> None:
    if (words.code, words.text) in ELSEWHERE:
        return
    if words.code == -1013 and words.text != errors.FILTER_FAILURE.text:
        assert words.text.removeprefix("Filter failure: ") in FILTERS
        return
    said = [re.escape(text).replace("%s", ".+") for text in DOCUMENTED[words.code]]
    assert any(re.fullmatch(text, words.text) for text in said), words


def test_none_is_listed_that_is_not_said() -> None:
    assert set(DOCUMENTED) <= {words.code for words in WORDS}
    assert {(words.code, words.text) for words in WORDS} >= ELSEWHERE
