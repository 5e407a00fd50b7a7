"""How many sockets this process and its children may have."""

import resource


def raise_open_files() -> int:
    """As far as the system lets them; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
