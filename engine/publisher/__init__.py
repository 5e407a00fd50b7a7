"""Follows the journal and tells the world: depth, trades, tickers, candles, user events.

    journal -> feeds (books, candles, statistics) -> frames (wire text) -> store -> Channels groups

`run_publisher` is the one process that does; `reader.py` is what everybody else reads.
"""
