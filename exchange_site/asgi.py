"""What the web server runs: HTTP by Django, WebSockets by Channels."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")

# Before anything that imports models.
http = get_asgi_application()

import exchange_site.urls  # noqa: E402, F401 - Django itself loads it with the first request
from exchange_site.garbage import spare_what_stands  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
spare_what_stands()
