from django.urls import path

from accounts.views import SignInView, SignOutView

app_name = "account"
urlpatterns = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("sign-out", SignOutView.as_view(), name="sign-out"),
]
