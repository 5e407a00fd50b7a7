"""The WebSocket API, `/ws-api/v3`: requests and answers over one socket, and an account's events.

A request (`messages.py`) names a method of the table (`methods.py`). Its caller is known by the
session or by a signature of its own (`session.py`), its weight is counted (`admission.py`), and it
is answered by an endpoint of `/api/v3`, on a thread; orders and cancels go to the engine without
one (`commands.py`). Events come from the account's stream (`user_data.py`).

Source of methods, shapes and rules: "WebSocket API" of Binance's public spot documentation.
"""
