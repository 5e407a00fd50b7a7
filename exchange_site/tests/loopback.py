"""Loopback addresses to call from: some limits count by address."""

import itertools
import os

_numbers = itertools.count()


def own_address() -> str:
    """One that nobody else of this test run calls from."""
    number = next(_numbers)
    return f"127.{os.getpid() % 200 + 20}.{number // 250 % 250}.{number % 250 + 1}"
