"""The AsyncAPI 3 document of the sockets: every message that they send, to the field."""
