"""Accounts of people who may log in. Each person has one account, each account one role."""

from django.contrib.auth.models import AbstractUser
from django.db import models


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
