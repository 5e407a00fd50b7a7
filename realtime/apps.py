from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out


class RealtimeConfig(AppConfig):
    name = "realtime"

    def ready(self) -> None:
        from realtime.sessions import tell_signed_out

        user_logged_out.connect(tell_signed_out, dispatch_uid="realtime.tell_signed_out")
