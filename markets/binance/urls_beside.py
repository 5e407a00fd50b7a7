"""What default clients ask for beside `/api/v3/`."""

from django.urls import re_path

from markets.binance.endpoints import BESIDE
from markets.binance.views import paths_of, unknown_path

urlpatterns = [*paths_of(BESIDE), re_path(r"^(?:sapi|fapi|dapi)/", unknown_path)]
