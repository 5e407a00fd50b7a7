"""Orders whose trigger was reached, until their turn comes."""

from engine.core.markets import Market


class TriggerQueue:
    """Watches the last prices, and knows the markets in which triggered orders wait."""

    def __init__(self) -> None:
        self._restless: dict[str, Market] = {}

    def price_moved(self, market: Market, first_price: int, last_price: int) -> None:
        """Trades went from one price to the other, in one direction."""
        if market.triggers.is_empty:
            return
        market.triggered.extend(market.triggers.reached(first_price))
        if last_price != first_price:
            market.triggered.extend(market.triggers.reached(last_price))
        self.settle(market)

    def markets(self) -> list[Market]:
        """Those in which orders wait for their turn, by symbol."""
        if not self._restless:
            return []
        return [self._restless[symbol] for symbol in sorted(self._restless)]

    def settle(self, market: Market) -> None:
        """Take note whether orders wait there."""
        if market.triggered:
            self._restless[market.symbol] = market
        else:
            self._restless.pop(market.symbol, None)
