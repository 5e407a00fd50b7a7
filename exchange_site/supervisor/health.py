"""Ask the web server how the exchange is. As a program: exit 0 where it is well.

The containers' health check: `python -m exchange_site.supervisor.health`.
"""

import http.client
import os
import sys
from collections.abc import Mapping

TIMEOUT_S = 5.0


def fetch_health(environ: Mapping[str, str]) -> tuple[int, str]:
    """The status and body of `/health` on this machine; (0, reason) where nobody answers."""
    # Django refuses a name that is not among its own.
    host = environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].lstrip(".").replace("*", "")
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(environ.get("PORT") or 8000), timeout=TIMEOUT_S
    )
    headers = {"Host": host or "127.0.0.1", "X-Forwarded-Proto": "https"}
    try:
        connection.request("GET", "/health", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


if __name__ == "__main__":
    status, body = fetch_health(os.environ)
    print(body)
    sys.exit(0 if status == http.client.OK else 1)
