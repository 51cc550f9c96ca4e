"""The settings of one home: the sections of consent-gate.toml, checked when the gate starts."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from consent_gate.errors import SettingsInvalid
from consent_gate.home.settings_machine import (
    Analysis,
    Database,
    FilmSettings,
    Inbox,
    Mail,
    Paths,
    Storage,
    Web,
)
from consent_gate.home.settings_public_gallery import PublicGallery
from consent_gate.home.settings_recognition import Recognition
from consent_gate.home.settings_section import Section
from consent_gate.home.settings_staff import Safeguarding, SignIn
from consent_gate.model import (
    BIOMETRIC,
    COVER_GREY,
    ChannelRules,
    Colour,
    CoverStyle,
    DeviceRule,
    Facing,
    FilmSound,
    LargeFaces,
    Rules,
    SiblingGuard,
    Uncleared,
    VisibleNames,
    WhenNoFaces,
    is_camera,
)

FILE_NAME = "consent-gate.toml"


class School(Section):
    name: str = "Our school"
    timezone: str = "Europe/London"


class Channel(Section):
    title: str
    consent: str
    """Purpose for which everyone shown must have given consent."""
    folder: Path | None = None
    """Default: approved/<channel>."""
    consent_captions: tuple[str, ...] = ()
    """Other names of this consent in the school's exports."""
    max_side: Annotated[int, Field(ge=64, le=10_000)] = 1600
    quality: Annotated[int, Field(ge=40, le=95)] = 85
    progressive: bool = True
    full_colour_detail: bool = False
    """JPEG without colour subsampling (4:4:4): coloured lettering on posters stays sharp."""
    also: tuple[Literal["webp", "avif"], ...] = ()
    """Other image formats of each picture, in addition to JPEG."""
    when_no_faces: WhenNoFaces = WhenNoFaces.HOLD
    unrecognisable_below_px: Annotated[int, Field(ge=0, le=64)] = 0
    four_eyes: bool = False
    visible_names: VisibleNames = VisibleNames.FULL
    """Which names of pupils that can be read in a picture hold it."""
    unread_text: bool = False
    """Whether text near a face that cannot be read holds a picture."""
    largest_face_px: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Longer side of the largest face that is published, in pixels; 0: any size."""
    large_faces: LargeFaces = LargeFaces.HOLD
    """What happens to a picture with a larger face."""
    facing: Facing = Facing.ANY
    """Which faces are published."""
    uncleared: Uncleared = Uncleared.HOLD
    """What happens to a picture with faces that are not cleared."""
    film_sound: FilmSound = FilmSound.OFF
    """Whether films are published with sound."""
    printed: bool = False
    """Copies exist on paper: a recall stays open until staff confirm that they are destroyed."""

    @field_validator("also")
    @classmethod
    def _formats_are_unique(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(formats)) < len(formats):
            raise ValueError("name each of 'webp' and 'avif' at most once")
        return formats


class RuleSettings(Section):
    register_max_age_days: Annotated[int, Field(ge=1, le=400)] = 130
    enrolment_max_age_days: Annotated[int, Field(ge=30, le=1500)] = 548
    sibling_guard: SiblingGuard = SiblingGuard.SCHOOL


class Cameras(Section):
    rule: DeviceRule = DeviceRule.HOLD
    registered: tuple[str, ...] = ()
    """``make|model|serial``; an empty serial means every camera of the model. Cameras that staff
    confirmed are in the database. The rule is off while both lists are empty."""

    @field_validator("registered")
    @classmethod
    def _entries_name_a_model(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if not is_camera(entry):
                raise ValueError(f"'{entry}': write a camera as make|model|serial")
        return entries


class Review(Section):
    undo_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """How long a release by staff can be undone; the picture is published after this time."""


class Publishing(Section):
    first_names: Literal["allow", "refuse"] = "allow"
    """Whether a title or description may contain a pupil's first name without the surname."""
    not_names: tuple[str, ...] = ()
    """Names in pictures that are no pupil's, such as those of houses and buildings."""
    cover_style: CoverStyle = CoverStyle.GREY
    """What covers look like in pictures and films that are made from now on."""
    cover_colour: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#2f4b7c"
    """Colour of the covers of the style "colour", as #RRGGBB."""

    @property
    def cover_fill(self) -> Colour | None:
        """Colour of covers. None: cells in the colours around the cover."""
        if self.cover_style is CoverStyle.CELLS:
            return None
        if self.cover_style is CoverStyle.GREY:
            return COVER_GREY
        red, green, blue = bytes.fromhex(self.cover_colour[1:])
        return red, green, blue

    @property
    def cover_on_pages(self) -> str:
        """Colour of the covers that the pages draw, as #RRGGBB; grey in place of cells."""
        return "#" + bytes(self.cover_fill or COVER_GREY).hex()


class Retention(Section):
    """After how many days data is deleted permanently; 0 means never."""

    originals_days: Annotated[int, Field(ge=0)] = 0
    previews_days: Annotated[int, Field(ge=0)] = 365
    refused_days: Annotated[int, Field(ge=0)] = 90
    closed_days: Annotated[int, Field(ge=0)] = 0
    """How long copies of refused and recalled pictures are recognised, counted from the refusal or
    recall; 0 means as long as the evidence of the picture is kept."""
    withdrawn_days: Annotated[int, Field(ge=0)] = 365
    """How long the manifest lists a withdrawn picture, counted from the day its recall closed."""


class Settings(BaseSettings):
    """Everything in ``consent-gate.toml``."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="CONSENT_GATE_SET_", env_nested_delimiter="__"
    )

    school: School = School()
    paths: Paths = Paths()
    database: Database = Database()
    channels: dict[str, Channel]
    rules: RuleSettings = RuleSettings()
    cameras: Cameras = Cameras()
    inbox: Inbox = Inbox()
    storage: Storage = Storage()
    analysis: Analysis = Analysis()
    film: FilmSettings = FilmSettings()
    review: Review = Review()
    publishing: Publishing = Publishing()
    retention: Retention = Retention()
    web: Web = Web()
    gallery: PublicGallery = PublicGallery()
    recognition: Recognition = Recognition()
    mail: Mail = Mail()
    sign_in: SignIn = SignIn()
    safeguarding: Safeguarding = Safeguarding()

    @model_validator(mode="after")
    def _workers_share_a_server(self) -> Settings:
        if self.analysis.where == "workers" and self.database.engine != "postgresql":
            raise ValueError('[analysis] where = "workers" needs [database] engine = "postgresql"')
        return self

    @model_validator(mode="after")
    def _gallery_has_channels(self) -> Settings:
        for name in self.gallery.channels:
            if name not in self.channels:
                raise ValueError(f"[gallery] names the channel '{name}', which is not there")
        return self

    @field_validator("channels")
    @classmethod
    def _names_are_folder_names(cls, channels: dict[str, Channel]) -> dict[str, Channel]:
        if not channels:
            raise ValueError("at least one channel is needed")
        for name, channel in channels.items():
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
                raise ValueError(f"channel '{name}': use small letters, digits and hyphens")
            if channel.consent == BIOMETRIC:
                raise ValueError(f"channel '{name}': biometric consent is not consent to publish")
        return channels

    @property
    def titles(self) -> dict[str, str]:
        """The title of each channel, by the channel's name."""
        return {name: channel.title for name, channel in self.channels.items()}

    @property
    def consent_titles(self) -> dict[str, str]:
        """The title of each consent to publish, by its purpose."""
        return {channel.consent: channel.title for channel in self.channels.values()}

    def rules_for_decide(self) -> Rules:
        """Return the settings that ``policy.decide`` needs.

        No channel looks for names where the whole gate reads no text. Cameras that staff confirmed
        are in the database and not included.
        """
        reads_text = self.analysis.visible_names
        return Rules(
            channels=tuple(
                ChannelRules(
                    name=name,
                    purpose=channel.consent,
                    when_no_faces=channel.when_no_faces,
                    max_side=channel.max_side,
                    unrecognisable_below_px=channel.unrecognisable_below_px,
                    four_eyes=channel.four_eyes,
                    visible_names=channel.visible_names if reads_text else VisibleNames.OFF,
                    unread_text=channel.unread_text and reads_text,
                    largest_face_px=channel.largest_face_px,
                    large_faces=channel.large_faces,
                    facing=channel.facing,
                    uncleared=channel.uncleared,
                    film_sound=channel.film_sound,
                )
                for name, channel in self.channels.items()
            ),
            register_max_age_days=self.rules.register_max_age_days,
            enrolment_max_age_days=self.rules.enrolment_max_age_days,
            devices=self.cameras.rule,
            registered_devices=frozenset(self.cameras.registered),
            sibling_guard=self.rules.sibling_guard,
        )


def default_toml() -> str:
    """Return the text of the commented settings file that ``init`` writes."""
    return resources.files("consent_gate.home").joinpath("default.toml").read_text("utf-8")


def default_settings() -> Settings:
    """Return the settings of a new home."""
    return Settings(**tomllib.loads(default_toml()))


def load_settings(path: Path) -> Settings:
    """Read and check consent-gate.toml.

    Raises:
        SettingsInvalid: The file cannot be read or has a mistake; the message says where.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is not valid TOML: {error}.") from error
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise SettingsInvalid(f"{path}: {problems}.") from error
