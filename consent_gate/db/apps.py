"""Django's view of this package."""

from django.apps import AppConfig


class GateDatabase(AppConfig):
    name = "consent_gate.db"
    label = "gate"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "consent-gate"
