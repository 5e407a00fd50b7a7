"""How messages are written: a JSON array that begins with the name of its kind.

Arrays keep the journal small, JSON keeps it readable with nothing but `redis-cli`.
Messages are values: frozen, comparable, and without references to the engine's state.
"""

from typing import Annotated

import msgspec

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Every number that comes in. What is too large for it is malformed, whatever it counts."""

Symbol = Annotated[str, msgspec.Meta(max_length=20)]
ClientOrderId = Annotated[str, msgspec.Meta(min_length=1, max_length=36)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Message(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    gc=False,
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """A value that crosses the border of the core."""
