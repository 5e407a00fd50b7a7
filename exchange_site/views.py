"""The pages that belong to no app."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange_site.api.problems import PROBLEMS
from markets.api.presenting import ticker_out
from markets.live import FeedUnavailable, list_tickers


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    try:
        tickers = [ticker_out(ticker) for ticker in list_tickers()]
    except FeedUnavailable:
        tickers = []
    return render(request, "home.html", {"tickers": tickers})


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """Where the `type` of a problem leads."""
    return render(request, "problems.html", {"problems": PROBLEMS})
