"""Money that comes, goes, and moves between accounts."""

from typing import Final

from engine.core.accounts import Account, Accounts
from engine.core.commands import (
    Deposit,
    ReleaseWithdrawal,
    ReserveWithdrawal,
    SettleWithdrawal,
    Transfer,
)
from engine.core.events import Deposited, Event, Transferred, WithdrawalUpdated
from engine.core.rejections import Code
from engine.core.replies import Done, Refused, WithdrawalReply
from engine.core.types import MAX_AMOUNT, WithdrawalStatus

MAX_WITHDRAWALS: Final = 100
"""Reserved at a time by one account."""


class Withdrawal:
    """Funds that are locked until they leave or come back."""

    __slots__ = ("amount", "asset", "key", "withdrawal_id")

    def __init__(self, withdrawal_id: int, asset: str, amount: int, key: str) -> None:
        self.withdrawal_id = withdrawal_id
        self.asset = asset
        self.amount = amount
        self.key = key


class Funds:
    """Deposits, transfers, withdrawals."""

    def __init__(self, accounts: Accounts, events: list[Event]) -> None:
        self._accounts = accounts
        self._events = events
        self.last_withdrawal_id = 0

    def deposit(self, command: Deposit) -> Done | Refused:
        if refused := self._check_deposit(command):
            return refused
        account = self._accounts.open(command.account)
        self._accounts.deposit(account.balance(command.asset), command.amount)
        self._events.append(
            Deposited(
                account.next_event_number(),
                account.number,
                command.asset,
                command.amount,
                command.key,
            )
        )
        return Done()

    def _check_deposit(self, command: Deposit) -> Refused | None:
        if not 0 < command.account <= MAX_AMOUNT:
            return Refused(Code.INVALID_ACCOUNT, "an account number is positive")
        external = self._accounts.external.get(command.asset)
        if external is None:
            return _unknown_asset(command.asset)
        owed = external + min(0, self._accounts.house[command.asset])
        if not 0 < command.amount <= MAX_AMOUNT + owed:
            return Refused(Code.AMOUNT_OUT_OF_RANGE, "all of an asset together stays below 2^63")
        return None

    def transfer(self, command: Transfer) -> Done | Refused:
        receiver = self._accounts.get(command.to)
        if receiver is None or command.to == command.account:
            return Refused(Code.INVALID_ACCOUNT, "there is no such other account to transfer to")
        payer = self._payer(command.account, command.asset, command.amount)
        if isinstance(payer, Refused):
            return payer
        asset, amount = command.asset, command.amount
        self._accounts.pay(payer.balance(asset), amount)
        self._accounts.receive(receiver.balance(asset), amount)
        for account, other, moved in ((payer, receiver, -amount), (receiver, payer, amount)):
            number = account.next_event_number()
            self._events.append(
                Transferred(number, account.number, other.number, asset, moved, command.key)
            )
        return Done()

    def reserve(self, command: ReserveWithdrawal) -> WithdrawalReply | Refused:
        account = self._payer(command.account, command.asset, command.amount)
        if isinstance(account, Refused):
            return account
        if len(account.withdrawals) >= MAX_WITHDRAWALS:
            return Refused(
                Code.TOO_MANY_WITHDRAWALS, f"at most {MAX_WITHDRAWALS} are reserved at a time"
            )
        self.last_withdrawal_id += 1
        withdrawal = Withdrawal(self.last_withdrawal_id, command.asset, command.amount, command.key)
        account.withdrawals[withdrawal.withdrawal_id] = withdrawal
        self._accounts.lock(account.balance(command.asset), command.amount)
        self._announce(account, withdrawal, WithdrawalStatus.RESERVED)
        return WithdrawalReply(withdrawal.withdrawal_id)

    def settle(self, command: SettleWithdrawal) -> Done | Refused:
        return self._close(command.account, command.withdrawal_id, WithdrawalStatus.SETTLED)

    def release(self, command: ReleaseWithdrawal) -> Done | Refused:
        return self._close(command.account, command.withdrawal_id, WithdrawalStatus.RELEASED)

    def _close(self, number: int, withdrawal_id: int, status: WithdrawalStatus) -> Done | Refused:
        account = self._accounts.get(number)
        withdrawal = account.withdrawals.pop(withdrawal_id, None) if account is not None else None
        if account is None or withdrawal is None:
            return Refused(Code.UNKNOWN_WITHDRAWAL, "no such reserved withdrawal of this account")
        balance = account.balance(withdrawal.asset)
        self._accounts.unlock(balance, withdrawal.amount)
        if status is WithdrawalStatus.SETTLED:
            self._accounts.deposit(balance, -withdrawal.amount)
        self._announce(account, withdrawal, status)
        return Done()

    def _payer(self, number: int, asset: str, amount: int) -> Account | Refused:
        """The account, if it can pay so much."""
        if asset not in self._accounts.external:
            return _unknown_asset(asset)
        if not 0 < amount <= MAX_AMOUNT:
            return Refused(Code.AMOUNT_OUT_OF_RANGE, "an amount is positive and below 2^63")
        account = self._accounts.get(number)
        if account is not None and account.frozen:
            return Refused(Code.ACCOUNT_FROZEN, "the account is frozen")
        if account is None or account.available(asset) < amount:
            return Refused(Code.INSUFFICIENT_BALANCE, f"not enough {asset} available")
        return account

    def _announce(self, account: Account, withdrawal: Withdrawal, status: WithdrawalStatus) -> None:
        self._events.append(
            WithdrawalUpdated(
                account.next_event_number(),
                account.number,
                withdrawal.withdrawal_id,
                withdrawal.asset,
                withdrawal.amount,
                status,
                withdrawal.key,
            )
        )


def _unknown_asset(symbol: str) -> Refused:
    return Refused(Code.UNKNOWN_ASSET, f"there is no asset {symbol[:20]}")
