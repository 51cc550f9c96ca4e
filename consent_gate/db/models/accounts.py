"""People who may log in: one account a person, one role an account."""

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
    """A member of staff. No shared log-ins."""

    role = models.CharField(max_length=24, choices=Role, default=Role.REVIEWER)
