"""Listen keys: whoever holds one may listen to its account's events for an hour.

| key in the shared Redis | holds | for |
| --- | --- | --- |
| `listen-key:<listen key>` | `<account>:<revocations>` | 60 minutes |
| `listen-key-of:<account>` | its listen key | as long |

An account has one key at a time; asking for one again, or keeping it alive, begins its hour anew.

It is worth no more than the API keys that it is handed to. So it holds how many of the account's
had been revoked when it was asked for, as read with the caller's own key: with one more, whoever
knows it may have had that one. The tables alone decide: no revocation needs this Redis to answer.

Raises ListenKeysUnavailable where that Redis does not answer.
"""

import secrets
from functools import lru_cache
from typing import Any, Final, cast

import redis
from django.conf import settings

from accounts.selectors import revocations_of
from engine.connections import connect
from exchange_site.errors import CodedError

LIFETIME_S: Final = 60 * 60

# Each in one script: an account never has two keys, and no key outlives its entry here.
_OPEN: Final = """
local key = redis.call('GET', KEYS[1])
if key and redis.call('GET', ARGV[3] .. key) ~= ARGV[4] then
    redis.call('DEL', ARGV[3] .. key)
    key = false
end
if not key then key = ARGV[1] end
redis.call('SET', KEYS[1], key, 'EX', ARGV[2])
redis.call('SET', ARGV[3] .. key, ARGV[4], 'EX', ARGV[2])
return key
"""
_EXTEND: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""
_CLOSE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])
"""


class ListenKeysUnavailable(CodedError):
    def __init__(self) -> None:
        super().__init__("FEED_UNAVAILABLE", "listen keys cannot be read at the moment")


def open_listen_key(*, account: int, revocations: int) -> str:
    """The account's key, a new one where it has none of as many revocations; valid for an hour
    from now."""
    new = secrets.token_hex(32)
    held = _held(account, revocations)
    answer = _run(_OPEN, [_account_name(account)], new, LIFETIME_S, _key_name(""), held)
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def extend_listen_key(*, account: int, revocations: int, listen_key: str) -> bool:
    """Whether it is the account's, of as many revocations, and valid for another hour."""
    names = [_account_name(account), _key_name(listen_key)]
    held = _held(account, revocations)
    return bool(_run(_EXTEND, names, listen_key, LIFETIME_S, held))


def close_listen_key(*, account: int, listen_key: str) -> bool:
    """Whether it was the account's; it is valid no more."""
    return bool(_run(_CLOSE, [_account_name(account), _key_name(listen_key)], listen_key))


def account_of_listen_key(*, listen_key: str) -> int | None:
    """None for a key that never was, was closed, or has expired; for one of before the last
    revocation of an API key of its account; and for one of an inactive user.

    Raises DatabaseUnavailable, too: while the database is away, for accounts that were not asked
    for in the last minutes.
    """
    try:
        value = cast("bytes | None", _connection().get(_key_name(listen_key)))
    except redis.RedisError as error:
        raise ListenKeysUnavailable from error
    if value is None:
        return None
    account, _, held = value.decode().partition(":")
    revocations = revocations_of(account=int(account))
    # What is remembered here may be older than the key, but then it is less.
    if not held or revocations is None or int(held) < revocations:
        return None
    return int(account)


def _held(account: int, revocations: int) -> str:
    return f"{account}:{revocations}"


def _account_name(account: int) -> str:
    return f"listen-key-of:{account}"


def _key_name(listen_key: str) -> str:
    return f"listen-key:{listen_key}"


def _run(script: str, names: list[str], *arguments: str | int) -> Any:
    try:
        return _connection().eval(script, len(names), *names, *arguments)
    except redis.RedisError as error:
        raise ListenKeysUnavailable from error


@lru_cache(maxsize=1)
def _connection() -> "redis.Redis":
    return connect(settings.REDIS_URL)
