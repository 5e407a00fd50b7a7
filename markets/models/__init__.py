"""What is traded, and what happened: projections of the journal, written by nobody else.

A change of a market is a command to the engine (`markets/administration.py`); the row follows.
"""

from markets.models.definitions import Asset, Market, MarketFees, MarketPhase
from markets.models.kline import Kline
from markets.models.order import Order, OrderList
from markets.models.trade import Trade

__all__ = ["Asset", "Kline", "Market", "MarketFees", "MarketPhase", "Order", "OrderList", "Trade"]
