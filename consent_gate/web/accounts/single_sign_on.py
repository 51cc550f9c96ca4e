"""Signing in with the school's Google or Microsoft: another way to prove who one is, no more.

Only a person whom an administrator entered gets in, with the e-mail address that stands on the
page People. The provider must have verified that address, and it must be the school's own
directory that speaks: Google's ``hd`` claim, Microsoft's ``tid``. The first sign-in ties the
account to the provider's lasting id of the person, so that an address which is given to somebody
else one day does not bring the account with it. A second step is asked for as after a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from consent_gate.db.models import User
from consent_gate.errors import GateError
from consent_gate.home.settings_staff import Google, Microsoft, SignIn
from consent_gate.web.accounts.sign_in import record_sign_in
from consent_gate.web.request_context import current_home

Claims = Mapping[str, Any]
"""The provider's signed ID token (OpenID Connect Core 1.0, "ID Token")."""


class SignInRefused(GateError):
    """Somebody proved to be a person whom the gate does not let in."""

    next_step = "Ask whoever looks after the accounts, or log in with your password."

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code
        """For the audit trail."""


def address_in(claims: Claims, provider: Google | Microsoft, rules: SignIn) -> str:
    """The e-mail address, in small letters, that the school's own directory vouches for.

    Raises SignInRefused.
    """
    if isinstance(provider, Google):
        address = _from_google(claims, rules)
    else:
        address = _from_microsoft(claims, provider)
    name, _, domain = address.lower().rpartition("@")
    if not name or domain not in rules.domains:
        raise SignInRefused("That is not an account of this school.", "wrong_domain")
    return f"{name}@{domain}"


def _from_google(claims: Claims, rules: SignIn) -> str:
    """Source: developers.google.com/identity/openid-connect, "hd" and "email_verified"."""
    if str(claims.get("hd", "")).lower() not in rules.domains:
        # A private Google account may carry any address, a school's too.
        raise SignInRefused("That is not an account of this school.", "wrong_domain")
    if claims.get("email_verified") is not True:
        raise SignInRefused("Google has not verified that e-mail address.", "unverified_address")
    return str(claims.get("email", ""))


def _from_microsoft(claims: Claims, provider: Microsoft) -> str:
    """The sign-in name: its domain is one that the directory has proved to own.

    ``email`` is not used: people set it themselves. Guests of the directory carry ``idp`` or
    ``acct`` 1. Source: learn.microsoft.com/entra/identity-platform/id-token-claims-reference.
    """
    if claims.get("tid") != provider.tenant:
        raise SignInRefused("That is not an account of this school.", "wrong_tenant")
    if claims.get("idp", claims.get("iss")) != claims.get("iss") or claims.get("acct", 0) != 0:
        raise SignInRefused("Guests of the school cannot sign in here.", "guest")
    return str(claims.get("preferred_username", ""))


def person_with(address: str) -> User:
    """The one open account with this e-mail address. Raises SignInRefused."""
    found = list(User.objects.filter(email__iexact=address)[:2])
    if len(found) > 1:
        raise SignInRefused("Two people here have that e-mail address.", "shared_address")
    if not found or not found[0].is_active:
        raise SignInRefused("Nobody here has that e-mail address.", "unknown_person")
    return found[0]


def check_tie(person: User, account: SocialAccount) -> None:
    """Raises SignInRefused where the address and the provider's lasting id speak of two people."""
    tied = SocialAccount.objects.filter(provider=account.provider)
    other_person = tied.filter(uid=account.uid).exclude(user=person)
    other_id = tied.filter(user=person).exclude(uid=account.uid)
    if other_person.exists() or other_id.exists():
        raise SignInRefused(
            "That e-mail address belonged to another account before.", "other_account"
        )


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """django-allauth asks it at every sign-in with Google or Microsoft."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        return False

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """Changes of an account are in the audit trail instead."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whom ``address_in`` and ``person_with`` find, and nobody else."""
        account = sociallogin.account
        try:
            person = _admit(sociallogin)
        except SignInRefused as refusal:
            record_sign_in(
                "user.sign_in_refused", "unknown", {"with": account.provider, "why": refusal.code}
            )
            _back_to_the_door(request, str(refusal))
        if account.pk is None:
            sociallogin.connect(request, person)
            record_sign_in(
                "user.tied", person.username, {"with": account.provider}, person.username
            )

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, *_args: Any, **_more: Any
    ) -> None:
        """Cancelled, expired, or the provider cannot be reached."""
        _back_to_the_door(
            request, f"Signing in with {provider.name} did not work. Please try again."
        )


def _admit(sociallogin: SocialLogin) -> User:
    """Raises SignInRefused."""
    if sociallogin.state.get("process") != AuthProcess.LOGIN:
        raise SignInRefused("Accounts are tied by signing in.", "not_a_sign_in")
    rules = current_home().settings.sign_in
    provider = rules.providers()[sociallogin.account.provider]
    claims = sociallogin.account.extra_data.get("id_token", {})
    person = person_with(address_in(claims, provider, rules))
    check_tie(person, sociallogin.account)
    return person


def _back_to_the_door(request: HttpRequest, sentence: str) -> NoReturn:
    messages.error(request, sentence)
    raise ImmediateHttpResponse(redirect("account_login"))
