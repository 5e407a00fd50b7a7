"""The Binance-compatible REST API, `/api/v3`: unmodified clients trade here.

It is thin. A request is parsed (`parameters.py`, `fields.py`, `queries.py`), its caller known
(`callers.py`), its weight counted (`limits.py`), and a function of `general.py`, `market_data.py`,
`account.py`, `orders.py`, `order_lists.py` or `wallet.py` asks the services and selectors that the
native API asks, and shapes the answer (`payloads.py`, `presenting.py`). `endpoints.py` is the whole
surface as one table; `errors.py` has every error in Binance's words.

Source of shapes, weights, rules and texts: Binance's public spot API documentation.
"""
