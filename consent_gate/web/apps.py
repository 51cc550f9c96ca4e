"""The Django application of the staff web pages."""

from django.apps import AppConfig


class GateWeb(AppConfig):
    name = "consent_gate.web"
    label = "gate_web"

    def ready(self) -> None:
        from consent_gate.web.accounts.sign_in import connect_signals

        connect_signals()
