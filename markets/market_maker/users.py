"""The maker's two users: one whose orders stand, and one that takes."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Final

from accounts.models import Tier, User
from accounts.onramp_commands import fund
from accounts.selectors import get_credential
from accounts.services import api_key_create, user_create
from markets.market_maker.api import Key

MAKER: Final = "market-maker"
TAKER: Final = "market-taker"

FUNDS: Final[dict[str, dict[str, Decimal]]] = {
    MAKER: {
        "BTC": Decimal(200),
        "ETH": Decimal(4_000),
        "SOL": Decimal(100_000),
        "USDT": Decimal(10_000_000),
    },
    TAKER: {
        "BTC": Decimal(50),
        "ETH": Decimal(1_000),
        "SOL": Decimal(25_000),
        "USDT": Decimal(2_500_000),
    },
}
"""What each is given, and again what is missing when less than half is left."""


def obtain_keys(path: Path) -> dict[str, Key]:
    """Keys by user name: those stored at `path` that still work, new ones for the rest.

    The file is readable by its owner alone.
    """
    stored = _read(path)
    keys = {}
    for username in FUNDS:
        key = stored.get(username)
        keys[username] = key if key and _works(key, username) else _create(username)
    if keys != stored:
        _write(path, keys)
    return keys


def top_up(username: str, balances: dict[str, Decimal]) -> None:
    """Ask for what is missing, the audited way. Raises what `fund` does."""
    user = User.objects.get(username=username)
    for asset, wanted in FUNDS[username].items():
        missing = wanted - balances.get(asset, Decimal(0))
        if missing * 2 > wanted:
            fund(user=user, asset=asset, amount=f"{missing:f}", reason="market maker's funds")


def _works(key: Key, username: str) -> bool:
    credential = get_credential(key=key.key)
    return (
        credential is not None
        and credential.user.username == username
        and credential.secret == key.secret.encode()
    )


def _create(username: str) -> Key:
    user = User.objects.filter(username=username).first() or user_create(username=username)
    created = api_key_create(user=user, tier=Tier.MAKER, label="run_market_maker")
    return Key(created.api_key.key, created.secret)


def _read(path: Path) -> dict[str, Key]:
    try:
        return {name: Key(**key) for name, key in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}


def _write(path: Path, keys: dict[str, Key]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({name: {"key": k.key, "secret": k.secret} for name, k in keys.items()}, file)
    draft.replace(path)
