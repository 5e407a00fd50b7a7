"""What the operator decides about an account."""

from engine.core.accounts import Accounts
from engine.core.commands import ConfigureAccount, LimitNotional
from engine.core.events import AccountConfigured, Event, NotionalLimited
from engine.core.market_checks import MAX_TIERS
from engine.core.markets import Markets
from engine.core.rejections import Code
from engine.core.replies import Done, Refused
from engine.core.types import MAX_AMOUNT


class AccountRules:
    def __init__(self, accounts: Accounts, markets: Markets, events: list[Event]) -> None:
        self._accounts = accounts
        self._markets = markets
        self._events = events

    def configure(self, command: ConfigureAccount) -> Done | Refused:
        if not 0 < command.account <= MAX_AMOUNT:
            return Refused(Code.INVALID_ACCOUNT, "an account number is positive")
        if not 0 <= command.tier <= MAX_TIERS:
            return Refused(Code.INVALID_FEES, f"a tier is 0 to {MAX_TIERS}")
        account = self._accounts.open(command.account)
        self._markets.set_tier(account, command.tier)
        account.trade_group = command.trade_group
        account.frozen = command.frozen
        account.unlimited_orders = command.unlimited_orders
        self._events.append(
            AccountConfigured(
                account.number,
                account.tier,
                account.trade_group,
                account.frozen,
                account.unlimited_orders,
            )
        )
        return Done()

    def limit_notional(self, command: LimitNotional) -> Done | Refused:
        account = self._accounts.get(command.account)
        if account is None:
            return Refused(Code.INVALID_ACCOUNT, "there is no such account")
        if command.asset not in self._markets.assets:
            return Refused(Code.UNKNOWN_ASSET, f"there is no asset {command.asset[:20]}")
        if command.amount is None:
            account.notional_limits.pop(command.asset, None)
        elif 0 <= command.amount <= MAX_AMOUNT:
            account.notional_limits[command.asset] = command.amount
        else:
            return Refused(Code.INVALID_LIMIT, "a limit is not negative")
        self._events.append(NotionalLimited(account.number, command.asset, command.amount))
        return Done()
