"""Changing a colleague's account: on the page People and from the command line alike.

Every change ends that person's sessions everywhere and is in the audit trail.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import EmailField

from consent_gate.db import audit_log
from consent_gate.db.models import Role, User
from consent_gate.home.home import Home


def change(home: Home, user: User, what: str, value: str, actor: str) -> None:
    """Change one thing. Raises ValidationError, whose messages are for people, or ValueError."""
    with transaction.atomic():
        _set(user, what, value)
        user.save()
        end_sessions(user)
        audit_log.record(home, f"user.{what}", f"user:{user.username}", {"role": user.role}, actor)


def _set(user: User, what: str, value: str) -> None:
    if what == "role":
        user.role = Role(value)
    elif what == "email":
        user.email = EmailField(blank=True).clean(value.strip(), user)
    elif what == "password":
        validate_password(value, user)
        user.set_password(value)
    elif what == "untie":
        SocialAccount.objects.filter(user=user).delete()
    elif what == "no-second-step":
        Authenticator.objects.filter(user=user).delete()
    elif what in {"close", "open"}:
        user.is_active = what == "open"
    else:
        raise ValueError(f"'{what}' is not a change.")


def end_sessions(user: User) -> None:
    """Log a person out everywhere."""
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
