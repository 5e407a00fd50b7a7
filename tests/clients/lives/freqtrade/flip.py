"""A strategy of freqtrade that buys as soon as it can, and sells at the next look."""

from typing import Any

from freqtrade.strategy import IStrategy


class Flip(IStrategy):  # type: ignore[misc]
    INTERFACE_VERSION = 3
    timeframe = "1m"
    startup_candle_count = 1
    process_only_new_candles = False
    minimal_roi = {"0": 10}  # noqa: RUF012 - so freqtrade wants it
    stoploss = -0.9

    def populate_indicators(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: Any) -> Any:
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def custom_exit(self, *_: Any, **__: Any) -> str:
        return "flip"
