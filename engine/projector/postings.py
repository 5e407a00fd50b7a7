"""The ledger's double entries: what each event moved, from whom to whom. Pure.

Amounts are integers in smallest units here, signed: positive is what the account received. Per
event and asset they sum to zero. Locks are no movements: what an order or a reserved withdrawal
holds is still its account's.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.core.events import Deposited, Traded, Transferred, WithdrawalUpdated
from engine.core.types import WithdrawalStatus

USER: Final = "user"
HOUSE: Final = "house"
EXTERNAL: Final = "external"

TRADE: Final = "trade"
FEE: Final = "fee"
DEPOSIT: Final = "deposit"
TRANSFER: Final = "transfer"
WITHDRAWAL: Final = "withdrawal"


class Posting(NamedTuple):
    kind: str
    account_kind: str
    account: int | None
    asset: str
    amount: int
    reference: str


def postings_of_trade(event: Traded, base: str, quote: str) -> Iterator[Posting]:
    """Gross amounts first, then the fees as rows of their own; a rebate is a fee turned round."""
    reference = f"{event.market}:{event.trade_id}"
    yield Posting(TRADE, USER, event.seller, base, -event.quantity, reference)
    yield Posting(TRADE, USER, event.buyer, base, event.quantity, reference)
    yield Posting(TRADE, USER, event.buyer, quote, -event.quote_quantity, reference)
    yield Posting(TRADE, USER, event.seller, quote, event.quote_quantity, reference)
    if event.buyer_fee:
        yield Posting(FEE, USER, event.buyer, base, -event.buyer_fee, reference)
        yield Posting(FEE, HOUSE, None, base, event.buyer_fee, reference)
    if event.seller_fee:
        yield Posting(FEE, USER, event.seller, quote, -event.seller_fee, reference)
        yield Posting(FEE, HOUSE, None, quote, event.seller_fee, reference)


def postings_of_deposit(event: Deposited) -> Iterator[Posting]:
    yield Posting(DEPOSIT, EXTERNAL, None, event.asset, -event.amount, event.key)
    yield Posting(DEPOSIT, USER, event.account, event.asset, event.amount, event.key)


def postings_of_transfer(event: Transferred) -> Iterator[Posting]:
    """Both sides stand with the payer's event; the receiver's brings nothing more."""
    if event.amount < 0:
        yield Posting(TRANSFER, USER, event.account, event.asset, event.amount, event.key)
        yield Posting(TRANSFER, USER, event.other, event.asset, -event.amount, event.key)


def postings_of_withdrawal(event: WithdrawalUpdated) -> Iterator[Posting]:
    """Funds leave when the withdrawal is settled; to reserve and to release moves locks alone."""
    if event.status is WithdrawalStatus.SETTLED:
        yield Posting(WITHDRAWAL, USER, event.account, event.asset, -event.amount, event.key)
        yield Posting(WITHDRAWAL, EXTERNAL, None, event.asset, event.amount, event.key)
