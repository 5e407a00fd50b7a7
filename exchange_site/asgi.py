"""What the web server runs: HTTP by Django, WebSockets by Channels.

The API has a handler of its own, unless the caller is known by the session of a page.
"""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")

# Before anything that imports models.
site = get_asgi_application()

import exchange_site.urls  # noqa: E402, F401 - Django itself loads it with the first request
from exchange_site.api.handler import ApiHandler, Receive, Scope, Send  # noqa: E402
from exchange_site.api.problems import API_PREFIX  # noqa: E402
from exchange_site.garbage import spare_what_stands  # noqa: E402
from realtime.identity import session_key  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402

api = ApiHandler()


async def http(scope: Scope, receive: Receive, send: Send) -> None:
    await (api if _is_for_api(scope) else site)(scope, receive, send)


def _is_for_api(scope: Scope) -> bool:
    return scope["path"].startswith(API_PREFIX) and session_key(scope) is None


application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
spare_what_stands()
