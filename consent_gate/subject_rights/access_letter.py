"""Write what the gate stores about one pupil as plain English for the family (UK GDPR art. 15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.model import BIOMETRIC
from sims_import.planning.change_json import from_json
from sims_import.planning.change_text import describe_change

ANSWERS = {"given": "yes", "refused": "no", "not_stated": "not stated, which counts as no"}


def write_letter(home: Home, collected: Mapping[str, Any]) -> str:
    """Write the letter as plain text.

    Args:
        home: The home.
        collected: The result of ``subject_rights.access.collect_subject_data``.
    """
    titles = home.settings.consent_titles
    parts = [
        _head(home, collected["pupil"]),
        ["What the family answered", *_consents(collected["consents"], titles)],
        ["What each import changed, oldest first", *_history(collected, titles)],
        ["Face matching", *_matching(collected["templates"])],
        ["Events at which staff said that the pupil was", *_events(collected["events"])],
        ["Pictures", *_pictures(collected["pictures"], home)],
        ["Not looked at yet", *_waiting(collected.get("waiting", {}))],
        _purposes(home),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(home: Home, pupil: Mapping[str, Any]) -> list[str]:
    born = pupil["date_of_birth"]
    former = ", ".join(pupil["former_numbers"])
    earlier = f" (earlier: {former})" if former else ""
    return [
        f"{home.settings.school.name}: what the photo gate holds about one pupil",
        f"Written on {home.now():%d/%m/%Y}",
        "",
        f"Name: {pupil['forename']} {pupil['surname']}",
        f"Called: {_preferred(pupil)}",
        f"Date of birth: {_day(born) if born else 'not known'}",
        f"Admission number: {pupil['admission_number']}{earlier}",
        f"UPN: {pupil['upn'] or 'not known'}",
        f"Class: {pupil['reg_group'] or pupil['year_group'] or 'not known'}",
        f"On roll: {_yes(pupil['on_roll'])}",
        f"Never to be published: {_yes(pupil['never_publish'])}",
        f"Objection to face matching: {_yes(pupil['biometric_objection'])}",
    ]


def _preferred(pupil: Mapping[str, Any]) -> str:
    first = pupil["preferred_forename"] or pupil["forename"]
    return f"{first} {pupil['preferred_surname'] or pupil['surname']}"


def _consents(consents: list[dict[str, Any]], titles: Mapping[str, str]) -> Iterator[str]:
    uses = {BIOMETRIC: "Face matching", **titles}
    for consent in consents:
        use = uses.get(consent["purpose"], consent["purpose"])
        until = f", until {_day(consent['expires_on'])}" if consent["expires_on"] else ""
        source = f" (from {consent['file'] or 'an import'})"
        yield f"- {use}: {ANSWERS[consent['answer']]}{until}{source}"


def _history(collected: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    number = collected["pupil"]["admission_number"]
    for row in collected["history"]:
        change = from_json(number, {k: row[k] for k in ("kind", "subject", "before", "after")})
        yield f"- {_day(row['at'][:10])}, {row['file']}: {describe_change(change, titles)}"


def _matching(templates: list[dict[str, Any]]) -> Iterator[str]:
    if not templates:
        yield "- No measurements of the pupil's face are kept, so the computer cannot recognise it."
        return
    for row in templates:
        day = f"of {_day(row['taken_on'])}" if row["taken_on"] else "of an unknown day"
        taken = "imported" if row["from_picture"] is None else "taken from a picture of the school"
        models = ", ".join(row["models"])
        confirmed = (
            f"confirmed by a member of staff on {_day(row['confirmed_at'][:10])}"
            if row["confirmed_at"]
            else "not used until a member of staff confirms the photo"
        )
        yield (
            f"- Measurements of a photo {day}, {taken} on {_day(row['first_imported_on'])},"
            f" for {models}; {confirmed}"
        )
    if any(row["portrait"] for row in templates):
        yield "- A small picture of the face, which staff see when they name people: portrait.jpg."


def _events(events: list[str]) -> Iterator[str]:
    if not events:
        yield "- None."
        return
    yield "- The computer looks for the pupils of these lists first."
    for event in events:
        yield f"- {event}"


def _pictures(pictures: list[dict[str, Any]], home: Home) -> Iterator[str]:
    titles = home.settings.titles
    yield (
        f"- The pupil was recognised, possibly recognised, or named by staff in"
        f" {counted(len(pictures), 'picture')}."
    )
    for picture in pictures:
        places = ", ".join(titles.get(name, name) for name in picture["out_in"])
        published = f" (published in: {places})" if places else ""
        yield f"- {picture['source'] or picture['id']}{published}"


_WAITING = {
    "exports_not_imported": (
        "file of the school's register",
        "lies in the folder 'sims', to be read next",
    ),
    "exports_waiting": ("file of the school's register", "waits for an answer by the office"),
    "exports_done": ("file of the school's register", "was read and is kept in the folder 'sims'"),
    "portraits": ("file of enrolment photos", "lies in the folder 'sims'"),
    "photos_not_examined": ("photo", "was taken in and not examined yet"),
    "files_in_inbox": ("file", "lies in the folder for new photos"),
}
"""For each count of ``waiting_data.WaitingData``: what is counted, and what becomes of it."""


def _waiting(waiting: Mapping[str, int]) -> Iterator[str]:
    if not any(waiting.values()):
        yield "- Nothing."
        return
    yield "- These may be about the pupil too. The gate cannot say so before it has read them."
    for name, (noun, place) in _WAITING.items():
        if waiting.get(name):
            yield f"- {counted(waiting[name], noun, _plural(noun))}: {place}."


def _plural(noun: str) -> str:
    first, *rest = noun.split(" ", 1)
    return " ".join([f"{first}s", *rest])


def _purposes(home: Home) -> list[str]:
    days = home.settings.retention
    return [
        "Why, and for how long",
        "- Consents come from the school's register (SIMS). They decide where pictures go.",
        "- Measurements of a face are kept, encrypted, only while the family agrees to that.",
        f"- Original photos are kept {_period(days.originals_days)}. The previews that staff see"
        f" are kept {_period(days.previews_days)}.",
        "- Nothing is passed on to others, except pictures to the places where they are published.",
        "- You may ask the school to correct or erase this information. You may also complain to"
        " the Information Commissioner's Office (ico.org.uk).",
    ]


def _period(days: int) -> str:
    return f"for {days} days" if days else "until they are erased"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%d/%m/%Y}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
