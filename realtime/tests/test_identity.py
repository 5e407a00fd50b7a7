"""Whose session a request or a socket is of."""

import pytest
from django.conf import settings

from realtime.identity import session_key

NAME = settings.SESSION_COOKIE_NAME


@pytest.mark.parametrize(
    ("cookies", "key"),
    [
        ([], None),
        (["theme=dark"], None),
        ([f"{NAME}=abc"], "abc"),
        ([f"theme=dark; {NAME}=abc"], "abc"),
        (["theme=dark", f"{NAME}=abc"], "abc"),
        # What other servers of the same host set is none of ours, and need not be well-formed.
        ([f'prefs={{"dark":1,"x":2}}; {NAME}=abc'], "abc"),
        ([f"theme=dark mode; {NAME}=abc"], "abc"),
        ([f"foo[bar]=1; n@me=2; {NAME}=abc"], "abc"),
    ],
)
def test_the_session_is_found_among_all_cookies(cookies: list[str], key: str | None) -> None:
    headers = [(b"host", b"127.0.0.1"), *((b"cookie", cookie.encode()) for cookie in cookies)]
    assert session_key({"headers": headers}) == key
