"""Changes to staff accounts, for the page People and for the command ``user``.

Every change ends all sessions of that person and is recorded in the audit trail.
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


def change_account(home: Home, user: User, change: str, value: str, actor: str) -> None:
    """Change one property of an account, end its sessions and record the change.

    Args:
        home: The home of the account.
        user: The account.
        change: ``role``, ``email``, ``password``, ``untie``, ``no-second-step``, ``close`` or
            ``open``.
        value: The new role, e-mail address or password; ignored by the other changes.
        actor: Log-in name of the person who makes the change.

    Raises:
        ValidationError: The value is not valid; its messages are for staff.
        ValueError: There is no such change or role.
    """
    with transaction.atomic():
        _apply_change(user, change, value)
        user.save()
        end_sessions(user)
        audit_log.record(
            home, f"user.{change}", f"user:{user.username}", {"role": user.role}, actor
        )


def _apply_change(user: User, change: str, value: str) -> None:
    if change == "role":
        user.role = Role(value)
    elif change == "email":
        user.email = EmailField(blank=True).clean(value.strip(), user)
    elif change == "password":
        validate_password(value, user)
        user.set_password(value)
    elif change == "untie":
        SocialAccount.objects.filter(user=user).delete()
    elif change == "no-second-step":
        Authenticator.objects.filter(user=user).delete()
    elif change in {"close", "open"}:
        user.is_active = change == "open"
    else:
        raise ValueError(f"'{change}' is not a change of an account.")


def end_sessions(user: User) -> None:
    """Delete all sessions of a user."""
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
