"""Bodies that could be meant in two ways are refused."""

import pytest

from exchange_site.api.problems import ProblemError
from exchange_site.api.strict_json import MAX_DEPTH, parse_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, "x", null, true]} ', {"a": [1, "x", None, True]}),
        ('{"a": "é€😀"}'.encode(), {"a": "é€😀"}),
        (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, [[[[[[[[]]]]]]]]),
    ],
)
def test_works(body: bytes, value: object) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1} x',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        rb'{"a": "\ud800"}',
        rb'{"\udc00": 1}',
        rb'{"a": "\u0000"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_malformed(body: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_json(body)
    assert caught.value.problem.code == "INVALID_JSON"
