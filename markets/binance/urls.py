"""Below `/api/v3/`."""

from django.urls import re_path

from markets.binance.endpoints import API_V3
from markets.binance.views import paths_of, unknown_path

urlpatterns = [*paths_of(API_V3), re_path("", unknown_path)]
