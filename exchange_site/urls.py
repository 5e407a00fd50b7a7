"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from exchange_site import views
from exchange_site.health import health
from exchange_site.metrics import metrics
from markets import pages
from markets.binance.schema import SETTINGS as BINANCE_SCHEMA
from markets.connecting import connect
from realtime import views as sockets

urlpatterns = [
    # What is asked for the most stands first.
    path("api/v1/", include("markets.api.urls")),
    path("api/v3/", include("markets.binance.urls")),
    path("", views.home, name="home"),
    path("trade/<str:symbol>", pages.trade, name="trade"),
    path("account/connect", connect, name="connect"),
    path("account/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path(
        "schema/v3",
        SpectacularJSONAPIView.as_view(custom_settings=BINANCE_SCHEMA),
        name="schema-v3",
    ),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("docs/v3", SpectacularSwaggerView.as_view(url_name="schema-v3"), name="docs-v3"),
    path("schema/sockets", sockets.schema, name="schema-sockets"),
    path("docs/sockets", sockets.docs, name="docs-sockets"),
    path("docs/problems", views.problems, name="problems"),
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("", include("markets.binance.urls_beside")),
]

handler400 = "exchange_site.api.problems.bad_request"
handler403 = "exchange_site.api.problems.permission_denied"
handler404 = "exchange_site.api.problems.not_found"
handler500 = "exchange_site.api.problems.server_error"
