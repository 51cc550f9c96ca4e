"""Health, settings and the people who may log in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent_gate.db import trail
from consent_gate.db.models import Role, User
from consent_gate.health import findings
from consent_gate.settings import FILE_NAME
from consent_gate.web.current import the_home, the_user
from consent_gate.web.forms import ColleagueForm


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Whether the gate is well."""
    return render(request, "gate/health.html", {"findings": findings(the_home())})


@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """The settings file, to read; it is changed on the machine."""
    path = the_home().root / FILE_NAME
    return render(request, "gate/settings.html", {"path": path, "text": path.read_text("utf-8")})


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who may log in; add one."""
    providers = the_home().settings.sign_in.providers().values()
    form = ColleagueForm(request.POST or None, elsewhere=tuple(p.title for p in providers))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            user: User = form.save(commit=False)
            user.set_password(form.cleaned_data["password"] or None)
            user.save()
            _record(request, "user.added", user, {"role": user.role})
        messages.success(request, f"{user.get_full_name() or user.username} may log in now.")
        return redirect("people")
    context = {"form": form, "people": User.objects.order_by("username"), "roles": Role.choices}
    return render(request, "gate/people.html", context)


@require_POST
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Change one person's role, password, or whether they may log in."""
    user = get_object_or_404(User, pk=user_id)
    if user == the_user(request):
        messages.error(request, "Ask another administrator to change your own account.")
        return redirect("people")
    try:
        with transaction.atomic():
            _change(request, user, request.POST.get("change", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people")


def _change(request: HttpRequest, user: User, change: str) -> None:
    if change == "role" and request.POST.get("role") in Role.values:
        user.role = Role(request.POST["role"])
    elif change == "close":
        user.is_active = False
    elif change == "open":
        user.is_active = True
    elif change == "password":
        validate_password(request.POST.get("password", ""), user)
        user.set_password(request.POST["password"])
    else:
        raise ValidationError("Nothing was changed.")
    user.save()
    end_sessions(user)
    _record(request, f"user.{change}", user, {"role": user.role})
    messages.success(request, f"{user.get_full_name() or user.username}: changed.")


def end_sessions(user: User) -> None:
    """Log a person out everywhere."""
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def _record(request: HttpRequest, action: str, user: User, detail: dict[str, str]) -> None:
    trail.record(the_home(), action, f"user:{user.username}", detail, the_user(request).username)
