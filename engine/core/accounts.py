"""Accounts, what they own, and the zero-sum ledger over all of them.

For every asset, after every command:

    sum(available + locked) + house + external == 0

`external` is what came from outside (negative: the world's debt to the exchange), `house` is what
the exchange earned in fees. Money only moves between the four; none is made here.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from engine.core.events import BalanceChanged, Event

if TYPE_CHECKING:
    from engine.core.order import Order


class Balance:
    """One asset of one account. `locked` is what its open orders have reserved."""

    __slots__ = ("account", "asset", "available", "locked")

    def __init__(self, account: "Account", asset: str, available: int = 0, locked: int = 0) -> None:
        self.account = account
        self.asset = asset
        self.available = available
        self.locked = locked


class Account:
    """A number, its balances and its open orders. It exists from its first deposit on."""

    __slots__ = ("balances", "client_orders", "event_number", "number", "orders")

    def __init__(self, number: int, event_number: int = 0) -> None:
        self.number = number
        self.event_number = event_number
        """Number of the account's newest event; they count without a gap."""
        self.balances: dict[str, Balance] = {}
        self.orders: dict[int, Order] = {}
        """Open orders by id, oldest first."""
        self.client_orders: dict[str, Order] = {}

    def balance(self, asset: str) -> Balance:
        balance = self.balances.get(asset)
        if balance is None:
            balance = self.balances[asset] = Balance(self, asset)
        return balance

    def available(self, asset: str) -> int:
        balance = self.balances.get(asset)
        return balance.available if balance is not None else 0

    def remember(self, order: "Order") -> None:
        self.orders[order.order_id] = order
        if order.terms.client_order_id is not None:
            self.client_orders[order.terms.client_order_id] = order

    def forget(self, order: "Order") -> None:
        del self.orders[order.order_id]
        if order.terms.client_order_id is not None:
            del self.client_orders[order.terms.client_order_id]

    def find(
        self, market: str, order_id: int | None, client_order_id: str | None
    ) -> "Order | None":
        """An open order of that market by either id; by both, where both are given."""
        if order_id is not None:
            order = self.orders.get(order_id)
        else:
            order = self.client_orders.get(client_order_id or "")
        if order is None or order.terms.market != market:
            return None
        if client_order_id is not None and order.terms.client_order_id != client_order_id:
            return None
        return order

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

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._accounts: dict[int, Account] = {}
        self._touched: dict[Balance, None] = {}
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
        return account

    def open_asset(self, asset: str) -> None:
        """Start counting an asset; harmless for one that is counted already."""
        self.house.setdefault(asset, 0)
        self.external.setdefault(asset, 0)

    def deposit(self, account: Account, asset: str, amount: int) -> None:
        self.external[asset] -= amount
        self.receive(account, asset, amount)

    def receive(self, account: Account, asset: str, amount: int) -> None:
        balance = account.balance(asset)
        balance.available += amount
        self._touched[balance] = None

    def pay(self, account: Account, asset: str, amount: int) -> None:
        balance = account.balance(asset)
        balance.available -= amount
        assert balance.available >= 0, "paid more than was available"
        self._touched[balance] = None

    def pay_from_lock(self, account: Account, asset: str, amount: int) -> None:
        balance = account.balance(asset)
        balance.locked -= amount
        assert balance.locked >= 0, "paid more than was locked"
        self._touched[balance] = None

    def lock(self, account: Account, asset: str, amount: int) -> None:
        balance = account.balance(asset)
        balance.available -= amount
        balance.locked += amount
        assert balance.available >= 0, "locked more than was available"
        self._touched[balance] = None

    def unlock(self, account: Account, asset: str, amount: int) -> None:
        balance = account.balance(asset)
        balance.available += amount
        balance.locked -= amount
        assert balance.locked >= 0, "unlocked more than was locked"
        self._touched[balance] = None

    def earn(self, asset: str, fee: int) -> None:
        """The house receives a fee, or pays a rebate where it is negative."""
        self.house[asset] += fee

    def announce(self) -> None:
        """One event per balance that the command touched, with what it is now."""
        for balance in self._touched:
            account = balance.account
            account.event_number += 1
            self._emit(
                BalanceChanged(
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
