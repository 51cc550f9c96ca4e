"""Views for log-in, single sign-on and the first administrator."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from consent_gate.db.models import User
from consent_gate.web.accounts.first_run import WrongSetupCode, make_first_administrator
from consent_gate.web.forms import SetupForm
from consent_gate.web.pages.navigation import nav_items
from consent_gate.web.request_context import current_home, current_user


class LogIn(LoginView):  # type: ignore[misc]
    """The log-in page. Before the first account exists it redirects to the set-up page."""

    template_name = "gate/login.html"

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not User.objects.exists():
            return redirect("setup")
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "providers": current_home().settings.sign_in.providers()}


@login_not_required
@require_POST
def sign_in_with(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the user to Google or Microsoft.

    The content security policy allows forms to submit to this site only, redirects included. So
    the response is a page that redirects by itself.
    """
    try:
        onward = openid.login(request, provider_id)
    except RequestException:
        title = current_home().settings.sign_in.providers()[provider_id].title
        messages.error(
            request, f"{title} cannot be reached at the moment. Please log in with your password."
        )
        return redirect("account_login")
    return render(request, "gate/onward.html", {"address": onward.headers["Location"]})


@login_not_required
@require_safe
def signed_in_with(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Handle the return from the provider. ``single_sign_on`` decides who is admitted."""
    response: HttpResponse = openid.callback(request, provider_id)
    return response


def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the first page that the user may open."""
    items = nav_items(current_user(request))
    return redirect(items[0].page) if items else render(request, "gate/nothing.html")


@login_not_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator account with the set-up code."""
    if User.objects.exists():
        return redirect("account_login")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: User = form.save(commit=False)
        try:
            made = make_first_administrator(
                current_home(), form.cleaned_data["code"], user, form.cleaned_data["password"]
            )
        except WrongSetupCode as error:
            form.add_error("code", str(error))
        else:
            login(request, made, backend="allauth.account.auth_backends.AuthenticationBackend")
            return redirect("home")
    return render(request, "gate/setup.html", {"form": form})
