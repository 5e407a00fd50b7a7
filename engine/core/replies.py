"""What the engine answers. A reply is the result of a command, not a receipt."""

from engine.core.events import Fill, OrderState
from engine.core.messages import Message
from engine.core.rejections import Code
from engine.core.types import Phase


class Done(Message, frozen=True, tag="done"):
    """The command took effect; there is nothing more to say."""


class Accepted(Message, frozen=True, tag="accepted"):
    """The order stands as it came, or waits for its trigger. It is written so short because it is
    written most: clients give the `OrderReply` that it stands for (see `acceptance.py`)."""

    order_id: int
    time: int


class OrderReply(Message, frozen=True, tag="order"):
    """The order as the command left it, and the fills that the command brought.

    Before the orders that it triggered: what these did to it is told by the account's events.
    """

    order: OrderState
    fills: tuple[Fill, ...] = ()


class Refused(Message, frozen=True, tag="refused"):
    """The command changed nothing."""

    code: Code
    detail: str


class OrderListReply(Message, frozen=True, tag="order_list"):
    """A list of orders as the command left it."""

    list_id: int
    orders: tuple[OrderState, ...]


class ReplaceReply(Message, frozen=True, tag="replaced"):
    """What became of the old order and of the new one; None where that was not tried."""

    canceled: OrderReply | Refused
    placed: OrderReply | Refused | None


class CanceledReply(Message, frozen=True, tag="canceled"):
    """The orders that were cancelled at once. `more` are cancelled with the next ticks."""

    orders: tuple[OrderState, ...]
    more: int


class WithdrawalReply(Message, frozen=True, tag="withdrawal"):
    withdrawal_id: int


class OrdersReply(Message, frozen=True, tag="orders"):
    orders: tuple[OrderState, ...]


class BalancesReply(Message, frozen=True, tag="balances"):
    """`(asset, available, locked)` of every asset the account ever held, by symbol."""

    balances: tuple[tuple[str, int, int], ...]


class DepthReply(Message, frozen=True, tag="depth"):
    """Levels `(price, quantity)`, best first. `number` is that of the newest depth change."""

    market: str
    number: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    last_price: int | None
    phase: Phase


class AssetTotals(Message, frozen=True, tag="totals"):
    """All of an asset, in smallest units; the four always sum to zero."""

    available: int
    locked: int
    house: int
    external: int


class StateReply(Message, frozen=True, tag="state"):
    """The whole exchange in figures, as of the journal entry `sequence`."""

    sequence: int
    state_hash: str
    scales: dict[str, int]
    assets: dict[str, AssetTotals]
    open_orders: dict[str, int]


Reply = (
    Done
    | Accepted
    | OrderReply
    | OrderListReply
    | ReplaceReply
    | CanceledReply
    | WithdrawalReply
    | Refused
    | OrdersReply
    | BalancesReply
    | DepthReply
    | StateReply
)
"""The first eight answer commands; the rest answer queries."""
