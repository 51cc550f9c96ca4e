"""Forms of the staff pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import QueryDict

from consent_gate.db.models import User
from consent_gate.model import Box, Tag, TagKind


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A name, a log-in name and a password typed twice."""

    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Three words nobody would guess work well.",
    )
    again = forms.CharField(
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "username", "email"]
        labels = {
            "first_name": "First name",
            "last_name": "Last name",
            "username": "Log-in name",
            "email": "School e-mail address",
        }
        help_texts = {"username": "One person, one log-in: never shared."}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        password = values.get("password", "")
        if password != values.get("again"):
            self.add_error("again", "The two passwords are not the same.")
        if not password and not self.fields["password"].required:
            return values
        try:
            validate_password(password, self.instance)
        except ValidationError as error:
            self.add_error("password", error)
        return values


class SetupForm(NewAccountForm):
    """The first administrator."""

    code = forms.CharField(
        label="Set-up code",
        help_text="It was shown in the window in which the gate was started.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["code", "first_name", "last_name", "username", "email", "password", "again"]


def tag_of(post: QueryDict) -> Tag | None:
    """What a tag form says: ``say`` is a kind, ``pupil:<admission number>``, or ``nothing``.

    None takes the tag back. Raises ValueError on an unknown kind.
    """
    kind, _, pupil = post.get("say", "").partition(":")
    if kind == "nothing":
        return None
    basis = post.get("basis", "").strip() if kind == TagKind.ADULT_WITH_AGREEMENT else ""
    return Tag(TagKind(kind), pupil=pupil or None, basis=basis)


PER_SIDE = 10_000
"""A drawn box comes in these parts of the picture's width and height: pages scale pictures."""


def box_in(post: QueryDict, width: int, height: int) -> Box:
    """The drawn box in pixels of the original. Nonsense becomes an empty box."""
    text = [post.get(name, "") for name in ("x", "y", "w", "h")]
    parts = [min(int(t), PER_SIDE) if t.isdecimal() else 0 for t in text]
    sides = (width, height, width, height)
    left, top, across, down = (
        part * side // PER_SIDE for part, side in zip(parts, sides, strict=True)
    )
    return Box(left, top, min(across, width - left), min(down, height - top))


def crop_in(post: QueryDict, width: int, height: int) -> Box | None:
    """What is kept, in pixels of the original, when so many per cent are cut off each side.

    None keeps all. Nonsense becomes an empty box.
    """
    text = [post.get(name, "") for name in ("left", "top", "right", "bottom")]
    try:
        left, top, right, bottom = (float(t or 0) / 100 for t in text)
    except ValueError:
        return Box(0, 0, 0, 0)
    if left == top == right == bottom == 0:
        return None
    if not (0 <= left <= 1 and 0 <= top <= 1 and 0 <= right <= 1 and 0 <= bottom <= 1):
        return Box(0, 0, 0, 0)
    x, y = round(left * width), round(top * height)
    return Box(x, y, width - round(right * width) - x, height - round(bottom * height) - y)


class ColleagueForm(NewAccountForm):
    """Another member of staff, with a role. Who signs in elsewhere needs no password here."""

    def __init__(self, *args: Any, elsewhere: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if elsewhere:
            self.fields["password"].required = self.fields["again"].required = False
            self.fields[
                "password"
            ].help_text += (
                f" Leave it empty for somebody who signs in with {' or '.join(elsewhere)}."
            )

    class Meta(NewAccountForm.Meta):
        fields = ["first_name", "last_name", "username", "email", "role"]
        labels = {**NewAccountForm.Meta.labels, "role": "Role"}
