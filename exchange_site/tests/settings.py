"""The settings of a test run: those of the site, on servers and a home of its own.

pytest reads them before any conftest. The first process of a run makes the folder; the workers of
pytest-xdist and the programs that tests start inherit it. Each worker has a home of its own in
there, hence Valkeys of its own; PostgreSQL is shared, with a database for each worker.
"""

import os
import tempfile
from pathlib import Path

from exchange_site.servers.addresses import OWNER_ROLE, embedded_database_url
from exchange_site.servers.home import ExchangeHome

if "EXCHANGE_TEST_RUN" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="exchange-tests-")).resolve()
    # Root's PostgreSQL runs as nobody, who must get through.
    folder.chmod(0o711)
    for name in ("ENGINE_REDIS_URL", "REDIS_URL", "DATABASE_OWNER_URL", "PRODUCTION"):
        os.environ.pop(name, None)
    # The owner's login: a test run creates databases.
    os.environ["DATABASE_URL"] = embedded_database_url(ExchangeHome(folder), role=OWNER_ROLE)
    os.environ["EXCHANGE_TEST_RUN"] = str(folder)
    os.environ["EXCHANGE_TEST_CONTROLLER"] = str(os.getpid())

TEST_RUN = Path(os.environ["EXCHANGE_TEST_RUN"])
TEST_CONTROLLER = int(os.environ["EXCHANGE_TEST_CONTROLLER"])
_home = ExchangeHome(TEST_RUN / os.environ.get("PYTEST_XDIST_WORKER", "main"))
_home.create()
_home.static.mkdir(exist_ok=True)  # WhiteNoise warns of one that is missing
os.environ["EXCHANGE_HOME"] = str(_home.path)

from exchange_site.settings import *  # noqa: E402, F403

# Tests sign many people in; how passwords are stored is not what they are about.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
