"""What stood when a process began to serve is not looked at again."""

import subprocess
import sys

_TELL = """
import gc
from exchange_site.garbage import spare_what_stands

stands = [[] for _ in range(1_000)]
spare_what_stands()
looked_at = {id(thing) for thing in gc.get_objects()}
print(any(id(thing) in looked_at for thing in stands), gc.isenabled())
"""


def test_what_stands_is_spared() -> None:
    told = subprocess.run([sys.executable, "-c", _TELL], stdout=subprocess.PIPE, check=True)
    assert told.stdout.decode().split() == ["False", "True"]
