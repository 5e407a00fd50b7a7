"""What the engine can be asked. Queries stand in the same queue as commands, so that an answer
is exact to the command before it; they change nothing and are never journalled."""

from engine.core.messages import ClientOrderId, Int64, Message, Symbol


class GetOrder(Message, frozen=True, tag="get_order"):
    """An open order of the account, by either id."""

    account: Int64
    market: Symbol
    order_id: Int64 | None = None
    client_order_id: ClientOrderId | None = None


class GetOpenOrders(Message, frozen=True, tag="get_open_orders"):
    """The account's open orders, oldest first; of one market, or of all."""

    account: Int64
    market: Symbol | None = None


class GetBalances(Message, frozen=True, tag="get_balances"):
    account: Int64


class GetDepth(Message, frozen=True, tag="get_depth"):
    """The best `limit` levels a side, and the last traded price."""

    market: Symbol
    limit: Int64


class GetState(Message, frozen=True, tag="get_state"):
    """Totals, counts and the state hash. Walks the whole state: not for every day."""


Query = GetOrder | GetOpenOrders | GetBalances | GetDepth | GetState
