"""From the journal to tables: orders, trades, ledger, definitions, and the archive.

`reading.py`, `rows.py` and `postings.py` are pure: entries in, rows out. `copying.py` writes rows
as COPY reads them, `writer.py` knows SQL. `positions.py` keeps how far a projection has come.
`loop.py` reads the stream and puts them together, one transaction per batch: rows and position
stand or fall together, so a crash at any moment repeats work and never its effects.
"""
