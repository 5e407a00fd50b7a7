"""Accounts, what they own, and the zero-sum ledger over all of them.

For every asset, after every command:

    sum(available + locked) + house + external == 0

`external` is what came from outside (negative: the world's debt to the exchange), `house` is what
the exchange earned in fees. Money only moves between the four; none is made here.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.events import BalanceChanged, Event

if TYPE_CHECKING:
    from engine.core.funds import Withdrawal
    from engine.core.markets import Participant

_balance_changed: Final = BalanceChanged  # bound once, see order.py


class Balance:
    """One asset of one account. `locked` is what its open orders and withdrawals have reserved."""

    __slots__ = ("account", "asset", "available", "is_held", "is_touched", "locked")

    def __init__(self, account: "Account", asset: str) -> None:
        self.account = account
        self.asset = asset
        self.available = 0
        self.locked = 0
        self.is_held = False
        """Did anything ever move here?"""
        self.is_touched = False
        """By the command that is being carried out."""


class Account:
    """A number, its balances, and its place in each market where it ever had an order."""

    __slots__ = (
        "balances",
        "event_number",
        "frozen",
        "is_open",
        "notional_limits",
        "number",
        "participants",
        "tier",
        "trade_group",
        "unlimited_orders",
        "withdrawals",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_open = False
        """Has it ever been told to exist? Before that it owns nothing and is kept nowhere."""
        self.event_number = 0
        """Number of the account's newest event; they count without a gap."""
        self.tier = 0
        self.trade_group: int | None = None
        self.frozen = False
        self.unlimited_orders = False
        self.balances: dict[str, Balance] = {}
        self.participants: dict[str, Participant] = {}
        """By market."""
        self.notional_limits: dict[str, int] = {}
        """By quote asset."""
        self.withdrawals: dict[int, Withdrawal] = {}
        """Those that are reserved, by id."""

    def balance(self, asset: str) -> Balance:
        balance = self.balances.get(asset)
        if balance is None:
            balance = self.balances[asset] = Balance(self, asset)
        return balance

    def available(self, asset: str) -> int:
        balance = self.balances.get(asset)
        return balance.available if balance is not None else 0

    def next_event_number(self) -> int:
        self.event_number += 1
        return self.event_number


class Totals(NamedTuple):
    available: int
    locked: int
    house: int
    external: int


class Accounts:
    """Every movement of money. Callers have checked that it is covered; here it is asserted."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._accounts: dict[int, Account] = {}
        self._touched: list[Balance] = []
        self.house: dict[str, int] = {}
        self.external: dict[str, int] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def get(self, number: int) -> Account | None:
        return self._accounts.get(number)

    def open(self, number: int) -> Account:
        """The account of that number, made where there is none yet."""
        account = self._accounts.get(number)
        if account is None:
            account = self._accounts[number] = Account(number)
            account.is_open = True
        return account

    def open_asset(self, asset: str) -> None:
        """Start counting an asset; harmless for one that is counted already."""
        self.house.setdefault(asset, 0)
        self.external.setdefault(asset, 0)

    def deposit(self, balance: Balance, amount: int) -> None:
        """Funds arrive from outside; they leave where the amount is negative."""
        self.external[balance.asset] -= amount
        self.receive(balance, amount)

    def receive(self, balance: Balance, amount: int) -> None:
        balance.available += amount
        self._touch(balance)

    def pay(self, balance: Balance, amount: int) -> None:
        balance.available -= amount
        assert balance.available >= 0, "paid more than was available"
        self._touch(balance)

    def pay_from_lock(self, balance: Balance, amount: int) -> None:
        balance.locked -= amount
        assert balance.locked >= 0, "paid more than was locked"
        self._touch(balance)

    def lock(self, balance: Balance, amount: int) -> None:
        balance.available -= amount
        balance.locked += amount
        assert balance.available >= 0, "locked more than was available"
        self._touch(balance)

    def unlock(self, balance: Balance, amount: int) -> None:
        balance.available += amount
        balance.locked -= amount
        assert balance.locked >= 0, "unlocked more than was locked"
        self._touch(balance)

    def earn(self, asset: str, fee: int) -> None:
        """The house receives a fee, or pays a rebate where it is negative."""
        self.house[asset] += fee

    def _touch(self, balance: Balance) -> None:
        if not balance.is_touched:
            balance.is_touched = balance.is_held = True
            self._touched.append(balance)

    def announce(self) -> None:
        """One event per balance that the command touched, with what it is now."""
        for balance in self._touched:
            balance.is_touched = False
            account = balance.account
            account.event_number += 1
            self._events.append(
                _balance_changed(
                    account.event_number,
                    account.number,
                    balance.asset,
                    balance.available,
                    balance.locked,
                )
            )
        self._touched.clear()

    def totals(self) -> dict[str, Totals]:
        """What there is of each asset; each row sums to zero."""
        available = dict.fromkeys(self.house, 0)
        locked = dict.fromkeys(self.house, 0)
        for account in self._accounts.values():
            for balance in account.balances.values():
                available[balance.asset] += balance.available
                locked[balance.asset] += balance.locked
        return {
            asset: Totals(available[asset], locked[asset], self.house[asset], self.external[asset])
            for asset in self.house
        }
