"""What schemathesis makes up from the schema of `/api/v3`, signed or not, is no error of ours.

Bounded: some examples for each operation. `make test-clients` tries more of them.
"""

import secrets
from pathlib import Path
from typing import Any, Final

import pytest

from tests.clients.environments import LIVES, python_of, run

WITHIN_S: Final = 900


def fuzz(exchange: Any, folder: Path, *arguments: str) -> None:
    """`folder` is for what schemathesis leaves behind."""
    name = f"fuzz-{secrets.token_hex(8)}"
    credentials = exchange.create_user(name, fund={"BTC": "1", "USDT": "1000"})
    run(
        *(str(python_of("schemathesis")), "-m", "schemathesis.cli"),
        *("run", f"{exchange.url}/schema/v3"),
        *("--checks", "not_a_server_error", "--no-shrink", "--seed", "1", "--warnings", "off"),
        *arguments,
        environment={
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(LIVES),
            "EXCHANGE_KEY": credentials["api_key"],
            "EXCHANGE_SECRET": credentials["secret_key"],
        },
        cwd=folder,
        timeout_s=WITHIN_S,
    )


def test_some_requests(exchange: Any, tmp_path: Path) -> None:
    fuzz(exchange, tmp_path, "--phases", "fuzzing", "--max-examples", "10")


@pytest.mark.heavy
def test_many_requests(exchange: Any, tmp_path: Path) -> None:
    fuzz(exchange, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "50")
