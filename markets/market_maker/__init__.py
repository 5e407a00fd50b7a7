"""Keeps markets liquid around a random walk, as an ordinary user of the API.

parameters.py   what it quotes, from the settings
walk.py         where the price goes (pure)
ladder.py       which orders should stand, and what to change for that (pure)
taking.py       the orders that take, so that there are trades (pure)
api.py          one HTTP connection, signed requests
users.py        its two accounts, their keys and funds
maker.py        the loop
"""
