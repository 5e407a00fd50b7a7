from django.apps import AppConfig


class ExchangeSiteConfig(AppConfig):
    name = "exchange_site"

    def ready(self) -> None:
        # Tasks sent from a web process must find the application. It is imported here and not in
        # the package, so that the supervisor and the servers need not load Celery.
        from exchange_site import celery  # noqa: F401
