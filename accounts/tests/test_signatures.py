"""Vectors from Binance's public spot API documentation, and what they leave open."""

import pytest

from accounts.signatures import (
    TimestampFault,
    check_timestamp,
    sign,
    signed_request,
    verify,
)

SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
FIRST = b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
SECOND = b"quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
ALL = FIRST + b"&" + SECOND
SIGNATURE = b"c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
MIXED = b"0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"

NOW = 1_499_827_319_559


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (ALL, b"", SIGNATURE),
        (b"", ALL, SIGNATURE),
        (FIRST, SECOND, MIXED),
    ],
)
def test_documented_vectors(query: bytes, body: bytes, signature: bytes) -> None:
    assert sign(SECRET, query + body).encode() == signature
    in_query = signed_request(query + b"&signature=" + signature, body, form_body=True)
    assert in_query.signature == signature
    if query:
        assert verify(SECRET, in_query.payload, signature)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (ALL + b"&signature=" + SIGNATURE, b""),
        (b"signature=" + SIGNATURE + b"&" + ALL, b""),
        (FIRST + b"&signature=" + SIGNATURE + b"&" + SECOND, b""),
        (b"", ALL + b"&signature=" + SIGNATURE),
        (b"signature=" + SIGNATURE, ALL),
    ],
)
def test_the_signature_is_taken_out_wherever_it_stands(query: bytes, body: bytes) -> None:
    signed = signed_request(query, body, form_body=True)
    assert (signed.payload, signed.signature) == (ALL, SIGNATURE)
    assert verify(SECRET, signed.payload, SIGNATURE)


def test_the_signature_of_the_query_wins() -> None:
    signed = signed_request(b"signature=aa", b"signature=bb&x=1", form_body=True)
    assert signed == (b"x=1", b"aa")


def test_a_json_body_is_left_as_it_is() -> None:
    body = b'{"label":"a&signature=bb"}'
    assert signed_request(b"timestamp=1", body, form_body=False) == (b"timestamp=1" + body, None)


def test_names_that_end_in_signature_are_signed() -> None:
    assert signed_request(b"mysignature=1", b"", form_body=True) == (b"mysignature=1", None)


def test_either_case_of_hexadecimal() -> None:
    assert verify(SECRET, ALL, SIGNATURE.upper())


@pytest.mark.parametrize("wrong", [b"", b"00", SIGNATURE[:-1], SIGNATURE[:-1] + b"0", b"\xff" * 64])
def test_a_wrong_signature(wrong: bytes) -> None:
    assert not verify(SECRET, ALL, wrong)


@pytest.mark.parametrize(
    ("timestamp", "window", "fault"),
    [
        (str(NOW), None, None),
        (str(NOW - 5_000), None, None),
        (str(NOW - 5_001), None, TimestampFault.OUTSIDE),
        (str(NOW + 999), None, None),
        (str(NOW + 1_000), None, TimestampFault.OUTSIDE),
        (str(NOW - 60_000), "60000", None),
        (str(NOW - 1), "0", TimestampFault.OUTSIDE),
        (str(NOW), "60001", TimestampFault.WINDOW_TOO_LONG),
        (None, None, TimestampFault.MISSING),
        ("", None, TimestampFault.NO_INTEGER),
        ("1e12", None, TimestampFault.NO_INTEGER),
        ("-1", None, TimestampFault.NO_INTEGER),
        ("１４９９８２７３１９５５９", None, TimestampFault.NO_INTEGER),  # noqa: RUF001
        (str(NOW), "abc", TimestampFault.NO_INTEGER),
        ("9" * 5_000, None, TimestampFault.NO_INTEGER),
    ],
)
def test_timestamps(
    timestamp: str | None, window: str | None, fault: TimestampFault | None
) -> None:
    assert check_timestamp(timestamp, window, now_ms=NOW) is fault
