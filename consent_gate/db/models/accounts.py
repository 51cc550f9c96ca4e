"""Accounts of people who may log in. Each person has one account, each account one role."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from consent_gate.names.lookalike_text import fold_case, skeleton


class Role(models.TextChoices):
    OFFICE = "office", "Office"
    REVIEWER = "reviewer", "Reviewer"
    SAFEGUARDING_LEAD = "safeguarding_lead", "Safeguarding lead"
    DATA_PROTECTION_OFFICER = "dpo", "Data protection officer"
    ADMINISTRATOR = "administrator", "Administrator"
    TECHNICIAN = "technician", "Technician"


class User(AbstractUser):
    """The account of a member of staff. Accounts are not shared."""

    role = models.CharField(max_length=24, choices=Role, default=Role.REVIEWER)
    username_key = models.CharField(max_length=255, unique=True, editable=False)
    """The log-in name without case and width. "J.Shaw" and "j.shaw" are one account."""
    knows_review = models.BooleanField(default=False)
    """Whether the person has closed the short tour of the review page."""

    def clean(self) -> None:
        """Refuse a log-in name that looks like another account's.

        Raises:
            ValidationError: The name cannot be told apart from another one.
        """
        super().clean()
        shape = skeleton(self.username)
        others = User.objects.exclude(pk=self.pk).values_list("username", flat=True)
        if any(skeleton(other) == shape for other in others):
            raise ValidationError(
                {"username": "Another account has this log-in name, or one that looks the same."}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_key = fold_case(self.username)
        super().save(*args, **kwargs)


class LogInAttempt(models.Model):
    """An attempt to log in that was wrong, or whose password or code is being checked.

    Names and addresses are hashes with the home's key. Rows are deleted after a quarter of an hour.
    """

    account = models.CharField(max_length=64)
    """Hash of the log-in name, whether an account has it or not."""
    client = models.CharField(max_length=64)
    """Hash of the client's address."""
    device = models.CharField(max_length=32, blank=True)
    """Name of the device cookie; empty for a device that is not known."""
    step = models.CharField(max_length=8)
    """``password`` or ``code``."""
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["account", "step", "at"])]
