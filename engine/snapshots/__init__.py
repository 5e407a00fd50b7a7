"""Snapshots: the engine's state at one journal entry, so that recovery need not begin at the first.

A follower (Celery) replays the journal beside the live engine, which never pauses for it:

    journal -> replica -> codec (lines of JSON, zlib, sha256) -> store (PostgreSQL) -> trimming

`codec.py` has the format and needs no Django; `store.py` has the tables.
"""
