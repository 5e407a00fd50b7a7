"""Which consumer serves which WebSocket path."""

from django.urls import URLPattern, re_path

from realtime.api.consumer import ApiConsumer
from realtime.consumer import CombinedStreamConsumer, StreamConsumer

websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^ws/?$", StreamConsumer.as_asgi()),
    re_path(r"^ws/(?P<streams>.{1,2000})$", StreamConsumer.as_asgi()),
    re_path(r"^ws-api/v3/?$", ApiConsumer.as_asgi()),
    re_path(r"^stream/?$", CombinedStreamConsumer.as_asgi()),
]
