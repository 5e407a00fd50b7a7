"""What the operator decides about an account: commands to the engine.

Each service returns the journal's sequence after the command, and raises CommandRefused,
EngineUnavailable or StatusUnknown. What was decided last stands in `TradingAccount`.
"""

from typing import Final

from accounts.models import TradingAccount
from engine.core.commands import ConfigureAccount, LimitNotional
from engine.submit import submit
from exchange_site.errors import FieldInvalid
from markets.models import Asset
from markets.order_terms import optional_units
from markets.own import await_history

PATIENCE_S: Final = 10.0


def account_configure(
    *,
    account: int,
    tier: int = 0,
    trade_group: int | None = None,
    frozen: bool = False,
    unlimited_orders: bool = False,
) -> int:
    """All of it at once: what is not given is the default, whatever it was before.

    `tier` says which fees of a market the account pays; accounts of one `trade_group` count as one
    owner for self-trade prevention; a `frozen` one can cancel and receive, and nothing else.
    """
    command = ConfigureAccount(
        account=account,
        tier=tier,
        trade_group=trade_group,
        frozen=frozen,
        unlimited_orders=unlimited_orders,
    )
    return submit(command).sequence


def orders_unlimit(*, account: int) -> None:
    """Lift the markets' limits on open orders, and leave the rest as it is.

    It waits for the tables, so that nothing is undone that was decided a moment ago. Raises
    HistoryBehind, besides what the engine's client raises.
    """
    await_history(timeout=PATIENCE_S)
    row = TradingAccount.objects.filter(account=account).first() or TradingAccount(account=account)
    if not row.unlimited_orders:
        account_configure(
            account=account,
            tier=row.tier,
            trade_group=row.trade_group,
            frozen=row.frozen,
            unlimited_orders=True,
        )


def notional_limit_set(*, account: int, asset: str, amount: str | None) -> int:
    """The most that the account's open orders may be worth in the markets of a quote asset; None:
    no limit. Raises FieldInvalid."""
    row = Asset.objects.filter(symbol=asset).first()
    if row is None:
        raise FieldInvalid("asset", "UNKNOWN_ASSET", "there is no such asset")
    units = optional_units("amount", amount, row.scale)
    return submit(LimitNotional(account=account, asset=asset, amount=units)).sequence
