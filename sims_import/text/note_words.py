"""Decides whether every word of a note is known. Pure text functions.

A note may take back or limit a consent in words that nobody foresaw ("pulled", "from behind", "see
Mrs Hill"). So a note is understood only if it says how or from whom a form came, or names a date, a
person or a matter of health.
"""

from __future__ import annotations

import re

from sims_import.text.words import odd_signs, word_set, words

_DATE = re.compile(
    r"\b\d{1,2}[/.-]\d{1,2}([/.-]\d{2,4})?\b|\b20\d\d-\d\d-\d\d\b|"
    r"\b(\d{1,2}(st|nd|rd|th)? )?(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|"
    r"aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)\.?( 20\d\d)?\b",
    re.I,
)
_PERSON = re.compile(r"\b(?:mrs?|ms|mx|miss|dr)\.? [A-Z]\S+(?: [A-Z]\S+)?", re.I)
_BY = re.compile(r"\b(?:[Bb]y|[Ff]rom) (?:[A-Z][A-Z]\b|[A-Z][a-z'\u2019-]+ [A-Z]\S+)")
"""Somebody named after ``by`` or ``from``, by the whole name or by initials."""
_PHRASES = re.compile(r"\b(?:(?:left|right)[ -]handed|hearing aids?)\b", re.I)
"""``Left`` alone is about a leaver, and a hearing may be one of a court."""
_INITIALS = re.compile(r"[A-Z]{2}")
_NO_INITIALS = word_set("cp dv fb ig la lo na nd no np nr ok pr sg sw tt ya")
"""Two letters that are no initials."""
_USUAL = word_set(
    """form forms paper hard copy electronic electronically digital digitally consent slip given
    booklet pack admission admissions signature signed received recd returned completed complete in
    on via by with from at to the a of and is was held kept office school reception scanned scan
    uploaded entered added inputted input recorded registered checked submitted mother mum mums
    father dad dads parent parents carer carers guardian guardians both app portal parentmail
    parentpay mail scholar pack comms parenthub schoolcomms arbor bromcom sims
    scholarpack mis google microsoft email file
    new starter joined admitted started september autumn mr mrs ms miss dr"""
)
"""Words about how and from whom a form came."""
_HEALTH = word_set(
    """asthma asthmatic inhaler inhalers eczema epilepsy epileptic diabetes diabetic allergy
    allergies allergic nut nuts peanut peanuts dairy egg eggs gluten wheat milk fish penicillin
    hayfever hay fever epipen glasses vegetarian vegan halal
    kosher coeliac pork dyslexia dyslexic adhd asd autism autistic speech language therapy senco
    medication lactose intolerant intolerance migraine migraines nosebleeds wears type"""
)
"""Words of notes about health, food and learning."""
_KNOWN = _USUAL | _HEALTH


def is_usual_note(text: str) -> bool:
    """Whether every word of a note is known, and none is about consent in another way."""
    if odd_signs(text) or "?" in text or not any(sign.isalnum() for sign in text):
        return False
    if _INITIALS.fullmatch(text):
        return text.casefold() not in _NO_INITIALS
    rest = _PHRASES.sub(" ", _DATE.sub(" ", _BY.sub(" ", _PERSON.sub(" ", text))))
    return not set(words(rest)) - _KNOWN
