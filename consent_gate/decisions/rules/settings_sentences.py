"""The settings and the thresholds in force as plain sentences, for the rule book."""

from __future__ import annotations

from collections.abc import Iterator

from consent_gate import policy
from consent_gate.home.home import Home
from consent_gate.home.settings import Channel, Settings
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import (
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
)
from consent_gate.register.school_model import school_model_use
from consent_gate.register.thresholds import thresholds_in_force

_NAMES_THAT_HOLD = {
    VisibleNames.OFF: "No name",
    VisibleNames.FULL: "A pupil's full name",
    VisibleNames.SURNAME: "A pupil's full name, or a surname near a face,",
    VisibleNames.ANY: "A pupil's full name, or a surname or forename near a face,",
}


def channel_sentences(name: str, channel: Channel) -> Iterator[str]:
    """What is set for one channel.

    Args:
        name: The key of the channel in the settings.
        channel: Its settings.
    """
    yield f"Its name is '{name}'. Everybody shown must have given the consent '{channel.consent}'."
    if channel.when_no_faces is WhenNoFaces.RELEASE:
        yield "A picture in which no face is found is released without a person (rule 5)."
    else:
        yield "A picture in which no face is found waits for a person (rule 5)."
    pixels = channel.unrecognisable_below_px
    if pixels:
        yield (
            f"A face without a match counts as unrecognisable if it is smaller than {pixels} pixels"
            f" in the published picture, whose longest side has at most {channel.max_side} pixels"
            " (rule 8)."
        )
    else:
        yield "No face is too small to count (rule 8)."
    yield from _what_pictures_show(channel)
    if channel.film_sound is FilmSound.REVIEWED:
        yield (
            "A film has its sound, once a person has listened to the parts in which somebody may"
            " speak (rule 19)."
        )
    else:
        yield "Films have no sound (rule 19)."
    people = "two different people" if channel.four_eyes else "one person"
    yield f"An approval needs {people} (rule 11)."
    if channel.printed:
        yield "Copies exist on paper: a recall stays open until staff confirm that they are gone."


def _what_pictures_show(channel: Channel) -> Iterator[str]:
    """What is set about names, large faces and heads that are not cleared (rules 16 to 18)."""
    names = _NAMES_THAT_HOLD[channel.visible_names]
    yield f"{names} that can be read in a picture holds it (rule 16)."
    if channel.unread_text:
        yield "Text near a face that cannot be read holds a picture (rule 16)."
    if channel.largest_face_px:
        smaller = channel.large_faces is LargeFaces.SMALLER
        what = "makes it smaller" if smaller else "holds it"
        yield (
            f"A face larger than {channel.largest_face_px} pixels in the published picture {what}"
            " (rule 17)."
        )
    if channel.facing is Facing.NOT_FACE_ON:
        yield (
            "A face that is not turned away from the camera holds a picture: one with a turn below"
            f" {policy.FACE_ON_BELOW:g}, where 0 is frontal and 0.5 is 45 degrees (rule 17)."
        )
    if channel.uncleared is Uncleared.COVER:
        yield "The gate covers heads that are not cleared and publishes the picture (rule 18)."
    else:
        yield "A head that is not cleared holds the picture (rule 18)."


def school_sentences(settings: Settings, rules: Rules) -> Iterator[str]:
    """What is set for all channels of a school.

    Args:
        settings: The settings of the home.
        rules: ``decisions.rules.rules_in_force`` of the same home.
    """
    yield f"The consent list may be {rules.register_max_age_days} days old (rule 4)."
    yield f"An enrolment photo may be {rules.enrolment_max_age_days} days old (rule 7g)."
    if rules.sibling_guard is SiblingGuard.ROLL:
        yield (
            "Where the pupils at an event were named, only brothers and sisters who were there hold"
            " a picture (rule 7e)."
        )
    else:
        yield "Every brother or sister without an enrolment photo holds a picture (rule 7e)."
    yield _cameras(rules)
    if settings.analysis.visible_names:
        yield "The text in pictures is read and compared with the pupils' names (rule 16)."
    else:
        yield "The text in pictures is not read, so no name in them is found (rule 16)."
    others = ", ".join(settings.publishing.not_names)
    if others:
        yield f"These words are no pupil's name (rule 16): {others}."
    yield f"A film may be {settings.film.max_minutes} minutes long (rule 14)."
    yield (
        f"At most {settings.recognition.remembered_faces_a_pupil} faces of a pupil that staff named"
        " are remembered and compared."
    )
    days = settings.recognition.portraits_kept_days
    if days:
        yield (
            f"A portrait older than {days} days is no longer compared, once a newer one of the"
            " pupil is confirmed."
        )
    yield (
        f"Staff can undo a release for {settings.review.undo_seconds} seconds. The picture goes out"
        " after that. A picture that comes back never waits."
    )
    first = "may" if settings.publishing.first_names == "allow" else "may not"
    yield (
        "The title, the description and the album of a picture must not have a pupil's full name,"
        f" alone or together. They {first} have a first name."
    )
    yield _covers(settings)
    days = settings.retention.withdrawn_days
    until = f"for another {days} days" if days else "for ever"
    yield f"When every copy is confirmed gone, the list still names a withdrawn picture {until}."
    public = [settings.titles[name] for name in settings.gallery.channels]
    yield f"The public gallery shows: {', '.join(public) or 'nothing'}."


def _covers(settings: Settings) -> str:
    match settings.publishing.cover_style:
        case CoverStyle.GREY:
            look = "are grey"
        case CoverStyle.COLOUR:
            look = f"have the colour {settings.publishing.cover_colour}"
        case CoverStyle.CELLS:
            look = "are large squares in the colours around them"
    return f"Covers {look}. Nothing of what they cover is left (rule 18)."


def _cameras(rules: Rules) -> str:
    devices = sorted(rules.registered_devices)
    if not devices:
        return "No camera is registered, so pictures of every camera are accepted (rule 6)."
    others = {DeviceRule.HOLD: "wait for a person", DeviceRule.WARN: "are marked with a warning"}
    what = others.get(rules.devices, "are accepted")
    return f"Registered cameras: {', '.join(devices)}. Pictures of other cameras {what} (rule 6)."


def comparison_sentences(home: Home) -> Iterator[str]:
    """From when on two faces count as the same person, by the thresholds in force."""
    model, use = home.settings.recognition.model, school_model_use(home)
    if model is None or use is None:
        yield from _matching(thresholds_in_force())
        return
    if use.thresholds is None:
        yield use.refusal
        return
    beside = "SFace must agree" if use.beside else "no other model is asked"
    yield (
        "Whose face it is, the school's own face model decides, and"
        f" {beside}: {model.file.name}, SHA-256 {model.sha256}, licence: {model.licence}."
    )
    yield from _matching(use.thresholds)


def _matching(thresholds: Thresholds) -> Iterator[str]:
    shipped = thresholds == shipped_thresholds()
    yield (
        "The figures are those of the package."
        if shipped
        else "The figures are the school's own, from its portraits. A person accepted them."
    )
    yield (
        "Of the people who are not enrolled, at most"
        f" {thresholds.false_accept_rate * 1000:g} in 1000 are matched to a pupil (rule 7b). The"
        f" figures were fitted on: {thresholds.fitted_on}."
    )
    yield (
        "A face is matched only if its score is at least"
        f" {thresholds.accept_fused(500):.3f} in a school of 500 enrolled pupils, and higher than"
        f" that of the next pupil by {thresholds.margin:g} (rule 7b). 1 is the highest score. In a"
        " larger school it has to be higher, and for a pupil with several enrolment photos:"
        f" {thresholds.accept_fused(500, 2):.3f} with two."
    )
    floors = thresholds.floors
    yield (
        f"A face is clear enough to compare (rule 7a) if it is {floors.height_px} pixels high or"
        f" more, its sharpness is {floors.sharpness:g} or more, its brightness"
        f" {floors.brightness:g} or more, its contrast {floors.contrast:g} or more, its likeness to"
        f" its own mirror image {floors.mirror_agreement:g} or more, and if it is turned by"
        f" {floors.yaw:g} or less, where 0 is frontal and 0.5 is 45 degrees."
    )
    models = ", ".join(f"{name} {version}" for name, version in sorted(thresholds.versions.items()))
    yield f"The face models are {models}."
