"""What stands in the queue, read as the worker does."""

from engine.core.commands import Command
from engine.core.queries import Query
from engine.wire import Address, decode_address, decode_message, open_envelope


def opened(raw: bytes | str) -> tuple[Address, Command | Query]:
    address, message = open_envelope(raw.encode() if isinstance(raw, str) else raw)
    return decode_address(address), decode_message(message)
