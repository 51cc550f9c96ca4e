"""Captions and consent types are recognised exactly, and never guessed."""

from __future__ import annotations

import pytest

from sims_import.text.caption_meaning import meaning_of_caption, meaning_of_type
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Meaning, Purpose, Role, Vocabulary
from sims_import.text.words import key, tidy


def read(caption: str) -> str:
    return str(meaning_of_caption(caption, DEFAULT_VOCABULARY))


SEEN = {
    "admission_number": "Adno|Admission Number|Adm No|Adm. No.|ADMNO|Admission No|Pupil Adno",
    "upn": "UPN|Unique Pupil Number|Pupil UPN|Student's UPN",
    "forename": "Forename|Legal Forename|First Name|Legal First Name|Student Forename",
    "surname": "Surname|Legal Surname|Last name|Legal Last Name|Family Name",
    "preferred_forename": "ChosenName|Chosen name|Preferred Forename|Preferred First Name|Known As",
    "preferred_surname": "Preferred Surname|Preferred Last Name",
    "display_name": "DisplayName|Display Name|Full name|Pupil Name",
    "reg_group": "Reg|Reg Group|RegGroup|Reg. Group|Registration Form|Tutor Group|Class|Form",
    "year": "Year|Year taught in|Year  Group|NC Year|Yr",
    "date_of_birth": "DOB|Date of Birth|D.O.B.|Birth date",
    "family": "Family|Family Key|Sibling Key|Household ID",
    "address": "Address|Home Address|Postcode|Post Code",
    "ignore": "primary_id|House|Gender|FSM|Email|Internet Access|Copyright Permission|School Trips",
    "consent:website": (
        "Website|School Website|Photograph - Website|Photo consent - Website|Website photos|"
        "Use of photographs on school website|photo_website|PHOTO_CONSENT_WEBSITE|Website (Y/N)|"
        "May we use your child's image on our website?|Photos & video - website|Opt-in: website"
    ),
    "consent:displays": (
        "Displays|School Displays|Image consent: Displays|Photograph - Displays|Display boards|"
        "Photographs used in displays in school|In-school displays"
    ),
    "consent:mag": "Millfields Mag|Photograph - Millfields Mag|School Magazine|Mag",
    "consent:biometric": "Biometric|Biometric Consent|Biometrics|Facial recognition consent",
    "consent:website+displays": "Website and Displays|Photos - Displays / Website",
    "objection": (
        "Biometric objection|Biometric Objection - Child|Child objects to biometrics|"
        "Parent objection (biometric)|Biometric consent refused"
    ),
    "never_publish": "Never Publish|NEVER PUBLISH|Do not publish|No publicity|Do Not Photograph",
    "refusal": "Child's objection|Withdrawn|Consent withdrawn|Revoked|Date withdrawn|Cancelled|"
    "Opted out",
    "refusal:website+mag+displays": "No Photograph|No photos|Photo consent withdrawn|"
    "No photos (court order)|Opt-out of photographs",
    "refusal:website": "Not on website|Website - No|Opt out of website photos|Website withdrawn",
    "given_on": "Consent Date|Date consent given",
    "given_on:website": "Website consent date|Date consent given - website",
    "expires_on:website": "Website consent expires|Website expiry date",
    "consent_type": "Consent Type|Parental Consent Type",
    "consent_answer": "Consent Given|Consent Status|Response",
}


@pytest.mark.parametrize(
    ("meaning", "caption"),
    [(meaning, caption) for meaning, names in SEEN.items() for caption in names.split("|")],
)
def test_captions_seen_in_exports_are_recognised(meaning: str, caption: str) -> None:
    assert read(caption) == meaning


@pytest.mark.parametrize(
    "caption",
    [
        "Photograph",
        "Photograph Student",
        "Parental Consent",
        "Photo Consent",
        "Photos in newspaper",
        "Website and social media",
        "Names on website",
        "Pupil work on website",
        "Video - Website",
        "Photo consent form received",
        "Biometrics (cashless catering)",
        "Fingerprint",
        "Newsletter",
        "Local Press",
        "Website first name only",
        "Photo of parent on website",
        "Pictures of the carers in Millfields Mag",
    ],
)
def test_a_caption_that_names_no_use_for_certain_is_never_read_as_a_consent(caption: str) -> None:
    assert meaning_of_caption(caption, DEFAULT_VOCABULARY).role in {Role.GENERAL, Role.UNCLEAR}


def test_no_photograph_is_not_photograph() -> None:
    every = DEFAULT_VOCABULARY.names
    assert meaning_of_type("No Photograph", DEFAULT_VOCABULARY) == Meaning(Role.REFUSAL, every)


def test_a_school_names_its_own_channels() -> None:
    school = Vocabulary((Purpose("newsletter", ("The Oak Leaf",)), Purpose("social_media")))
    assert str(meaning_of_caption("Photos in The Oak Leaf", school)) == "consent:newsletter"
    assert str(meaning_of_caption("Social media", school)) == "consent:social_media"
    assert meaning_of_caption("Website", school).role is not Role.CONSENT


@pytest.mark.parametrize(
    "caption", ["Reg\u00a0Group", " reg  group ", "REG GROUP", "Reg\u200b Group"]
)
def test_spaces_and_capitals_of_any_kind_make_no_difference(caption: str) -> None:
    assert read(tidy(caption)) == "reg_group"


def test_accents_and_apostrophes_make_no_difference_to_captions() -> None:
    assert key("Child\u2019s Pr\u00e9nom") == key("Childs Prenom")


def test_a_parent_who_answers_is_not_a_parent_who_is_shown() -> None:
    found = meaning_of_caption("Consent of parent: photo on website", DEFAULT_VOCABULARY)
    assert found == Meaning(Role.CONSENT, ("website",))
