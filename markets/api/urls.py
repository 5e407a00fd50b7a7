from django.urls import path

from accounts.api import TokenView
from markets.api import order_views, views

urlpatterns = [
    path("order", order_views.OrderView.as_view()),
    path("order/replace", order_views.ReplaceView.as_view()),
    path("order/list", order_views.OrderListView.as_view()),
    path("orders", order_views.OrdersView.as_view()),
    path("orders/cancel-after", order_views.CancelAfterView.as_view()),
    path("order/open", views.OpenOrdersView.as_view()),
    path("order/history", views.OrderHistoryView.as_view()),
    path("depth", views.DepthView.as_view()),
    path("kline", views.KlineView.as_view()),
    path("markets", views.MarketsView.as_view()),
    path("tickers", views.TickersView.as_view()),
    path("trades", views.TradesView.as_view()),
    path("fills", views.FillsView.as_view()),
    path("balances", views.BalancesView.as_view()),
    path("auth/token", TokenView.as_view()),
]
