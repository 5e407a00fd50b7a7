"""How messages are written: a JSON array that begins with the name of its kind.

Arrays keep the journal small, JSON keeps it readable with nothing but `redis-cli`.
Messages are values: frozen, comparable, and without references to the engine's state.
"""

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="kind"):
    """A value that crosses the border of the core."""
