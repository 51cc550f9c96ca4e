"""The configuration of this Django app, whose label is ``gate``."""

from django.apps import AppConfig


class GateDatabase(AppConfig):
    name = "consent_gate.db"
    label = "gate"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "consent-gate"
