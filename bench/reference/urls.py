"""The exchange's paths, and `/api/bench/empty`: DRF finds out who calls, and nothing is to do."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange_site.urls import (
    handler400,
    handler403,
    handler404,
    handler500,
    urlpatterns,
)

__all__ = ("handler400", "handler403", "handler404", "handler500", "urlpatterns")


class EmptyView(APIView):
    """With the authentication, permissions, throttles and renderer that are all views'."""

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [*urlpatterns, path("api/bench/empty", EmptyView.as_view())]
