"""The ledger's double entries: what each event moved, from whom to whom. Pure.

Amounts are integers in smallest units here, signed: positive is what the account received. Per
event and asset they sum to zero.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.core.events import Deposited, Traded

USER: Final = "user"
HOUSE: Final = "house"
EXTERNAL: Final = "external"

TRADE: Final = "trade"
FEE: Final = "fee"
DEPOSIT: Final = "deposit"


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
