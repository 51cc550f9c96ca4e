"""The settings about staff: how they sign in, and whom they call about a sealed picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


class Section(BaseModel):
    """A table of consent-gate.toml: what it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_private(address: str) -> str:
    """Tokens travel by https; plain http only inside this machine."""
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", address):
        raise ValueError("must begin with https://")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_is_private)]
"""Where an OpenID provider is, without a slash at the end."""


class Google(Section):
    """Sign-in with the school's Google Workspace."""

    client_id: str = ""
    secret_file: Path = Path("secrets/google-client-secret")
    issuer: Address = "https://accounts.google.com"
    """OpenID Connect issuer; its discovery document lies below it."""
    title: ClassVar[str] = "Google"


class Microsoft(Section):
    """Sign-in with the school's Microsoft 365."""

    client_id: str = ""
    tenant: str = ""
    """Directory (tenant) id: only accounts of this directory exist for the gate."""
    secret_file: Path = Path("secrets/microsoft-client-secret")
    authority: Address = "https://login.microsoftonline.com"
    """Another one for national clouds."""
    title: ClassVar[str] = "Microsoft"

    @property
    def issuer(self) -> str:
        """OpenID Connect issuer of the one directory."""
        return f"{self.authority}/{self.tenant}/v2.0"

    @field_validator("tenant")
    @classmethod
    def _tenant_is_one_directory(cls, tenant: str) -> str:
        # "common" and "organizations" would let any directory of the world in.
        if tenant and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tenant):
            raise ValueError("write the directory (tenant) id, 8-4-4-4-12 small hexadecimal digits")
        return tenant


class SignIn(Section):
    """Who may log in is decided on the page People; here is how they prove who they are."""

    second_step: Literal["offered", "required"] = "offered"
    """``required``: nobody opens a page before an app or a passkey is set up."""
    domains: tuple[str, ...] = ()
    """Domains of the school's e-mail addresses; with none, passwords alone count."""
    google: Google = Google()
    microsoft: Microsoft = Microsoft()

    @field_validator("domains")
    @classmethod
    def _small_letters(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.strip().lower().removeprefix("@") for domain in domains)

    @model_validator(mode="after")
    def _whole(self) -> SignIn:
        if self.microsoft.client_id and not self.microsoft.tenant:
            raise ValueError("microsoft: 'tenant' is needed beside 'client_id'")
        if (self.google.client_id or self.microsoft.client_id) and not self.domains:
            raise ValueError("'domains' is needed: whose addresses may sign in")
        return self

    def providers(self) -> dict[str, Google | Microsoft]:
        """Those that the school set up, by the name in addresses."""
        offered: dict[str, Google | Microsoft] = {
            "google": self.google,
            "microsoft": self.microsoft,
        }
        return {name: provider for name, provider in offered.items() if provider.client_id}


class Contact(Section):
    """Whom to call."""

    who: str
    call: str
    """Telephone number, or where to find them."""
    when: str = ""


_POLICE = (
    Contact(who="Police", call="999", when="if a child is in danger now"),
    Contact(who="Police", call="101", when="otherwise"),
)
"""England and Wales; a school adds its own lead and designated officer (LADO)."""


class Safeguarding(Section):
    """What staff are told when a picture is sealed. Source of the guidance: UKCIS, "Sharing nudes
    and semi-nudes" (2024), and "Keeping children safe in education", part 1."""

    contacts: tuple[Contact, ...] = _POLICE
    guidance: tuple[str, ...] = ()
    """Further sentences of the school's own."""
    mail_to: tuple[str, ...] = ()
    """Who is told at once, beside the safeguarding leads' own addresses."""
    export_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How long a request for an export, and then the export itself, stands."""
