"""What clients may say, and the answers, to the letter."""

from typing import Any

import pytest

from realtime.protocol import (
    RequestError,
    answer,
    error_answer,
    names_in_query,
    parse_request,
)

UNKNOWN = (
    "Invalid request: unknown variant `{}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
    "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 1"
)


@pytest.mark.parametrize(
    ("text", "method", "params", "request_id"),
    [
        ('{"method":"SUBSCRIBE","params":["a@trade"],"id":1}', "SUBSCRIBE", ["a@trade"], 1),
        ('{"method":"UNSUBSCRIBE","params":[],"id":"abc"}', "UNSUBSCRIBE", [], "abc"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":null}', "LIST_SUBSCRIPTIONS", [], None),
        ('{"method":"LIST_SUBSCRIPTIONS"}', "LIST_SUBSCRIPTIONS", [], None),
        (
            '{"method":"SET_PROPERTY","params":["combined",true],"id":-5}',
            "SET_PROPERTY",
            ["combined", True],
            -5,
        ),
    ],
)
def test_requests(text: str, method: str, params: list[Any], request_id: Any) -> None:
    request = parse_request(text)
    assert (request.method, request.params, request.id) == (method, params, request_id)


@pytest.mark.parametrize(
    ("text", "code", "message", "request_id"),
    [
        ("", 3, "Invalid JSON: expected value at line 1 column 1", None),
        ("{", 3, "Invalid JSON: expected value at line 1 column 1", None),
        ("[" * 100_000, 3, "Invalid JSON: expected value at line 1 column 1", None),
        ("\ud800", 3, "Invalid JSON: expected value at line 1 column 1", None),
        ("[]", 2, "Invalid request: expected a JSON object", None),
        ('{"id":7}', 2, "Invalid request: missing field `method` at line 1 column 1", 7),
        ('{"method":"BUY","id":"x"}', 2, UNKNOWN.format("BUY"), "x"),
        ('{"method":1,"id":1}', 2, UNKNOWN.format("1"), 1),
        (
            '{"method":"SUBSCRIBE","params":{},"id":1}',
            2,
            "Invalid request: invalid type: `params` must be an array",
            1,
        ),
        (
            '{"method":"SUBSCRIBE","params":[1],"id":1}',
            2,
            "Invalid request: a stream's name must be a string",
            1,
        ),
        *(
            (
                f'{{"method":"SUBSCRIBE","params":[],"id":{bad}}}',
                2,
                "Invalid request: request ID must be an integer, a string of up to 36 "
                "characters, or null",
                None,
            )
            for bad in ("1.5", "true", "[]", f'"{37 * "a"}"', str(2**63))
        ),
    ],
)
def test_errors(text: str, code: int, message: str, request_id: Any) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(text)
    error = caught.value
    assert (error.code, error.message, error.request_id) == (code, message, request_id)


def test_too_many_at_once() -> None:
    names = ",".join(['"a@trade"'] * 1025)
    with pytest.raises(RequestError, match="too many parameters"):
        parse_request(f'{{"method":"SUBSCRIBE","params":[{names}],"id":1}}')


@pytest.mark.parametrize(("request_id", "text"), [(1, "1"), ("1", '"1"'), (None, "null")])
def test_the_id_keeps_its_type(request_id: Any, text: str) -> None:
    assert answer(None, request_id) == f'{{"result":null,"id":{text}}}'
    error = RequestError(2, "no", request_id)
    assert error_answer(error) == f'{{"error":{{"code":2,"msg":"no"}},"id":{text}}}'


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (b"", []),
        (b"streams=", []),
        (b"streams=a@trade/b@depth", ["a@trade", "b@depth"]),
        (b"streams=a%40trade%2Fb", ["a@trade", "b"]),
        (b"other=1&streams=/a/", ["a"]),
    ],
)
def test_names_in_the_path(query: bytes, names: list[str]) -> None:
    assert names_in_query(query) == names
