"""The garbage collector of processes that serve for long.

What stands when they begin to serve, such as Django and everything it imports, stays. A collection
that looks at all of it again stops the process for a tenth of a second and finds nothing.
"""

import gc
from typing import Final

YOUNG_AT_MOST: Final = 10_000
"""New objects between two collections of the youngest: a request's are gone by then."""


def spare_what_stands() -> None:
    """To be called once, when all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_AT_MOST)
