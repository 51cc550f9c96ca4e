"""Decides whether every word of a title is known. Pure text functions.

A title may restrict the whole list in words that nobody foresaw ("CP", "Names in blue", "Dim
lluniau"). So a line outside the table is understood only if all its words are usual in titles, or
are names in a line that is about a school, a class, an address or a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sims_import.text.consent_words import (
    CAUTION_WORDS,
    FILLERS,
    FILM_WORDS,
    FOREIGN_NEGATIONS,
    HISTORIC_WORDS,
    NEGATIONS,
    PHOTO_WORDS,
    PUBLISH_WORDS,
    SENTENCE_WORDS,
)
from sims_import.text.words import odd_signs, tidy, word_set, words

_USUAL = word_set(
    """photograph photo picture pic image imagery photographic photography photographed media
    film filming video publication publishing publicity biometric face facial recognition matching
    website web site page webpage mag magazine display board noticeboard classroom wall newsletter
    prospectus social online consent permission authorisation authorization gdpr dpa privacy notice
    information information data record report reporting register list listing lists export extract
    extracted exported download downloaded summary overview table spreadsheet workbook sheet file
    document copy response responses answer answers result results return returns form forms
    microsoft google sims next gen arbor bromcom scholarpack rm integris g2 asset progresso isams
    parentmail cmis seemis capita ess
    juniper horizons wonde mis system custom detail detailed details individual parental
    all whole every each full complete total totals subtotal count number nos of in on roll on
    our and or the a an to for from with by at as per this these that below above
    pupil pupils student students child children learner learners people family families parent
    parents carer carers guardian boys girls boy girl starters starter joiners new current active
    class classes group groups form tutor registration reg year years yr key stage ks eyfs
    reception nursery infant infants junior juniors lower upper middle sixth house band primary
    secondary college academy school schools academies college federation trust
    surname surnames forename forenames first last alphabetical alphabetically order sorted sort
    ordered grouped listed arranged dob upn upns adno admission admissions numbers date dates day
    time run printed print produced created generated saved updated update version revision
    revised issued issue prepared compiled date report ran effective since
    autumn spring summer term terms half academic january february march april may june july august
    september october november december jan feb mar apr jun jul aug sep sept oct nov dec monday
    tuesday wednesday thursday friday saturday sunday am pm gmt bst utc st nd rd th
    user office admin administrator administration staff headteacher head teacher deputy secretary
    tel telephone phone fax email mail www http https uk co org gov sch com net html
    end start page pages row rows record records entries
    contact contacts address addresses house postcode
    key legend yes t f y n true false blank tick ticked given granted agreed
    e g i e eg ie mr mrs miss ms dr
    caniatad cydsyniad tynnu dynnu llun lluniau ffotograffau rhieni rhiant disgybl disgyblion rhestr
    dosbarth blwyddyn i y yr o ar am gwefan ysgol
    edit overwrite amend alter distribute delete forward third parties
    sub grand average percent percentage master working original final latest live main nor status
    reporter designed standard default general community voluntary aided controlled foundation trust
    church england catholic roman rc ce va vc cofe alphabetic ascending descending asc desc sheets
    continued cont
    office confidential personal
    ltd limited plc version microsystems copyright c"""
)
"""Words that are usual in titles and footers and restrict nothing, without accents."""
_IN_FILE_NAMES = word_set("opt outs out consenting wrong backup bak")
"""Further words that say what a file holds."""
_SCHOOL = word_set(
    """school academy college primary infant infants junior juniors nursery federation trust
    grammar comprehensive prep preparatory council borough county church catholic
    ysgol gynradd uwchradd bunscoil gaelscoil grundschule gymnasium"""
)
_ONE_SCHOOL = word_set("school academy college ysgol")
_PLACE = word_set(
    """road street lane avenue drive close way hill court place square gardens crescent terrace
    postcode tel telephone email www http https"""
)
_GROUP = word_set("class form group tutor registration reg house dosbarth")
_PERSON = word_set("mr mrs miss ms dr by user teacher headteacher head")
_NAMING = _SCHOOL | _PLACE | _GROUP | _PERSON
"""Words of lines in which names stand."""
_AFTER = re.compile(r"\b(?:by|user)\b:?\s+(\S+)", re.I)
"""The person who printed a report; a log-in name has no capital."""
_LATIN = re.compile(r"[\u0000-\u024f\u1e00-\u1eff\u2000-\u2bff\ufe0f]*")
_PLAIN_SIGNS = frozenset("=+\u00a9\u00ae\u2122[]<>{}~^")
_SPOKEN = FILLERS | PHOTO_WORDS | PUBLISH_WORDS | _USUAL


def is_usual_title(text: str, names: Collection[str] = ()) -> bool:
    """Whether every word of a line outside the table is known.

    Args:
        text: The line.
        names: Words that are known in this file, such as classes, as ``words`` gives them.
    """
    plain = tidy(text)
    if not _LATIN.fullmatch(plain) or set(odd_signs(plain)) - _PLAIN_SIGNS:
        return False
    found = words(plain)
    if found and set(found) <= FILM_WORDS:
        return False
    people = {word for match in _AFTER.findall(plain) for word in words(match)}
    naming = bool(set(found) & _NAMING)
    capitals = {
        w
        for part in re.findall(r"[^\W\d_][\w'\u2019]*", plain)
        if part[0].isupper()
        for w in words(part)
    }
    return all(
        is_known_word(word, names) or word in people or (naming and word in capitals)
        for word in found
    )


def title_in_file_name(name: str) -> str:
    """The name of a file without its ending if it is all words that titles have; else empty.

    ``No consent.csv`` and ``Photo consent 2024-25.xlsx`` say what they hold. A name with other
    words, such as ``b20_no_photos.csv`` or that of a download, is chosen for many reasons.
    """
    stem = name.rpartition("/")[2].rpartition(".")[0]
    telling = _SPOKEN | NEGATIONS | FOREIGN_NEGATIONS | HISTORIC_WORDS | CAUTION_WORDS
    telling = telling | SENTENCE_WORDS | _IN_FILE_NAMES
    known = all(w.isdigit() or w in telling or w.rstrip("s") in telling for w in words(stem))
    return stem.replace("_", " ") if known else ""


def place_in_file_name(name: str) -> str:
    """The name of a file that begins with a name, such as ``Oakdale photo consent.csv``; or empty.

    The name may be that of a class, of the own school or of another one. The file tells.
    """
    stem = name.rpartition("/")[2].rpartition(".")[0].replace("_", " ")
    found = words(stem)
    unknown = [w for w in found if not is_known_word(w)]
    leading = found[: len(unknown) + 1]
    is_name = bool(unknown) and stem[0].isupper() and set(unknown) <= set(leading)
    return stem if is_name and names_consent(stem) else ""


def names_consent(text: str) -> bool:
    """Whether a title says that it is about consent."""
    return bool({word.rstrip("s") for word in words(text)} & {"consent", "permission", "photo"})


def names_unknown(text: str, names: Collection[str]) -> bool:
    """Whether a title about consent has a word with a capital that nobody knows."""
    parts = re.findall(r"[^\W\d_][\w'\u2019]*", text)
    return names_consent(text) and any(
        part[0].isupper() and not is_known_word(word, names)
        for part in parts
        for word in words(part)
    )


def school_name(text: str) -> frozenset[str]:
    """The words of a line that names a school, without those that schools share; else empty."""
    found = set(words(text))
    if not found & _ONE_SCHOOL:
        return frozenset()
    return frozenset(word for word in found if not is_known_word(word) and word not in _SCHOOL)


def is_known_word(word: str, names: Collection[str] = ()) -> bool:
    """Whether a word is usual in titles or is one of ``names``."""
    if any(sign.isdigit() for sign in word) or len(word) == 1:
        return True
    return word in _SPOKEN or word.rstrip("s") in _SPOKEN or word in names
