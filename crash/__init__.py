"""The crash campaign: parts of a whole exchange are killed under load, and everything is compared.

`make crash KILLS=200` runs it from outside, as `docs/FAILURES.md` says; `tests/test_crash.py` runs
a small one. `load.py` trades from a process of its own and writes down what it was told,
`rest_trader.py` does the same through the front door, `campaign.py` kills, `audit.py` compares.
"""
