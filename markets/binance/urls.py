from django.urls import path, re_path

from markets.binance.endpoints import API_V3, BESIDE
from markets.binance.views import unknown_path, view_of


def _operation(path: str) -> str:
    return path.replace("/", "_")


urlpatterns = [
    *(
        path(f"api/v3/{name}", view_of(methods, _operation(name)))
        for name, methods in API_V3.items()
    ),
    *(path(name, view_of(methods, _operation(name))) for name, methods in BESIDE.items()),
    re_path(r"^(?:api/v3|sapi|fapi|dapi)/", unknown_path),
]
