"""What other venues send, and what it means. Pure: no sockets, no files, no clock."""
