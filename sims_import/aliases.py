"""The words themselves: captions seen in SIMS, Arbor and Bromcom exports, and plain English.

Identity captions are compared squashed (``Reg. Group`` -> ``reggroup``), consent words one by
one without a plural s. Sources: captions in public SIMS, Arbor and Bromcom integrations and the
list in design.md, section 2; a school's own words are added in its settings or its mapping.
"""

from __future__ import annotations

_IDENTITY: dict[str, str] = {
    "admission_number": """adno admno admissionno admissionnumber admissionnum admnumber admnum
        admissionsnumber admissionsno adnum adnumber admission admissionid admissionref
        admissionreference admissioncode adn""",
    "upn": "upn uniquepupilnumber uniquepupilno upnnumber upnno uniquepupilid currentupn",
    "forename": """forename forenames firstname firstnames legalforename legalforenames
        legalfirstname legalfirstnames givenname givennames legalgivenname christianname fname""",
    "surname": """surname legalsurname lastname legallastname familyname legalfamilyname
        secondname sname""",
    "preferred_forename": """chosenname preferredforename preferredfirstname chosenforename
        chosenfirstname knownas knownname preferredname preferredgivenname preferred""",
    "preferred_surname": """preferredsurname preferredlastname chosensurname chosenlastname
        preferredfamilyname""",
    "display_name": """displayname fullname name legalname legalfullname preferredfullname
        surnameforename forenamesurname nameofpupil""",
    "reg_group": """reg reggroup registrationgroup registration registrationform regform form
        formgroup tutorgroup class classname regclass mainclass formclass registrationclass
        tutorgrp reggrp""",
    "year": """year yeargroup yeartaughtin ncyear nationalcurriculumyear yr yrgroup curriculumyear
        ncyearactual currentyear currentyeargroup nationalcurriculumyeargroup yeargrp ncyeargroup
        yearcode""",
    "date_of_birth": "dob dateofbirth birthdate birthday dateofbirthdob",
    "family": """family familykey familyid familyno familynumber familycode familyref
        familyreference familygroup siblingkey sibling siblinggroup siblingid siblinglink
        siblingref household householdid householdkey familylink""",
    "address": """address homeaddress addressline1 addressline2 address1 address2 addressblock
        street housenumber houseno postcode postalcode homepostcode addresspostcode fulladdress
        mainaddress""",
    "left_on": "dateofleaving leavingdate dol leavedate leaverdate dateleft leftdate lefton",
}

IDENTITY: dict[str, str] = {
    alias: role for role, aliases in _IDENTITY.items() for alias in aliases.split()
}
"""Squashed caption -> role. ``primary_id`` is the record system's own row id: nobody's."""

IDENTITY_FILLERS = frozenset(
    ["pupil", "pupils", "student", "students", "learner", "childs", "child", "sims", "s"]
)
"""Words that change nothing in an identity caption: "Pupil surname", "Student's UPN"."""

LONG_TYPES = frozenset(
    [
        "consenttype",
        "consenttypes",
        "parentalconsenttype",
        "typeofconsent",
        "consentname",
        "consentdescription",
        "consentcategory",
        "consentitem",
        "consentfor",
        "permissiontype",
        "permissionname",
        "consentpurpose",
        "purpose",
        "parentalconsentdescription",
        "consenttypedescription",
        "consenttypename",
        "consentquestion",
        "parentalconsenttypedescription",
    ]
)
LONG_ANSWERS = frozenset(
    [
        "consentgiven",
        "given",
        "consentstatus",
        "status",
        "response",
        "answer",
        "consentvalue",
        "value",
        "granted",
        "consented",
        "consentanswer",
        "consentresponse",
        "permissiongiven",
        "parentalconsentgiven",
        "consentgranted",
        "decision",
        "consentdecision",
        "yesno",
        "permissionstatus",
        "permissiongranted",
        "consentstate",
        "permissionresponse",
        "consentselection",
        "agreed",
        "permissionanswer",
        "parentalconsentstatus",
    ]
)

NEVER_PUBLISH = frozenset(
    [
        "neverpublish",
        "neverpublished",
        "nevertobepublished",
        "donotpublish",
        "dontpublish",
        "nottobepublished",
        "neverphotograph",
        "donotphotograph",
        "dontphotograph",
        "nottobephotographed",
        "nopublicity",
        "nopublication",
        "neverpublishmarker",
        "neverpublishflag",
        "neverpublishpupil",
        "neverpublishchild",
        "nopublish",
        "donotpublishflag",
        "donotpublishmarker",
        "donotpublishphotos",
        "donotpublishimages",
        "donotpublishphotographs",
        "neverpublishphotos",
        "neverpublishimages",
        "neverpublishphotographs",
        "safeguardingneverpublish",
        "safeguardingdonotpublish",
        "safeguardingnophotos",
        "safeguardingnoimages",
        "safeguardingnopublicity",
        "nopublicityflag",
        "donotphotographflag",
        "mustnotbephotographed",
        "mustnotbepublished",
        "nottobepublishedflag",
    ]
)

PURPOSE_PHRASES: dict[str, tuple[str, ...]] = {
    "website": ("website", "web site", "web page", "webpage", "web"),
    "mag": ("mag", "magazine", "school mag", "school magazine"),
    "displays": (
        "display",
        "display board",
        "wall display",
        "school display",
        "notice board",
        "noticeboard",
    ),
    "biometric": (
        "biometric",
        "biometric data",
        "biometric information",
        "biometric processing",
        "biometric recognition",
        "face recognition",
        "facial recognition",
        "face matching",
        "facial matching",
    ),
}
"""Built-in words for a purpose of that name. ``internet``, ``online``, ``newsletter`` and
``fingerprint`` are left out on purpose: they are other uses, so they are asked about."""

PHOTO_WORDS = frozenset(
    [
        "photograph",
        "photo",
        "picture",
        "pic",
        "image",
        "imagery",
        "photographic",
        "photography",
        "photographed",
        "photographing",
    ]
)
FILM_WORDS = frozenset(["film", "filming", "filmed", "video", "footage", "videoing", "recording"])
"""A type that speaks of film alone does not cover photographs: it is asked about."""

FILLERS = frozenset(
    [
        "consent",
        "consented",
        "permission",
        "parental",
        "parent",
        "parents",
        "guardian",
        "carer",
        "pupil",
        "student",
        "child",
        "children",
        "childs",
        "childrens",
        "learner",
        "school",
        "schools",
        "the",
        "a",
        "an",
        "of",
        "on",
        "in",
        "for",
        "to",
        "use",
        "used",
        "using",
        "usage",
        "be",
        "being",
        "may",
        "can",
        "could",
        "my",
        "our",
        "your",
        "his",
        "her",
        "their",
        "it",
        "its",
        "by",
        "at",
        "from",
        "within",
        "around",
        "inside",
        "and",
        "or",
        "with",
        "as",
        "i",
        "we",
        "is",
        "are",
        "was",
        "has",
        "have",
        "had",
        "do",
        "publish",
        "publication",
        "published",
        "publishing",
        "show",
        "shown",
        "showing",
        "appear",
        "appearing",
        "give",
        "given",
        "giving",
        "agree",
        "agreed",
        "agreement",
        "allow",
        "allowed",
        "allowing",
        "authorise",
        "authorised",
        "take",
        "taken",
        "taking",
        "taker",
        "include",
        "included",
        "including",
        "inclusion",
        "own",
        "type",
        "you",
        "yes",
        "happy",
        "purpose",
        "put",
        "posted",
        "placed",
        "feature",
        "featured",
        "whether",
        "if",
    ]
)
"""Words that add nothing to a use. "only", "name", "work", "form", "received", "internal" and
the like are not among them: a type that says more than we know is asked about."""

NEGATIONS = frozenset(
    [
        "no",
        "not",
        "never",
        "non",
        "without",
        "refuse",
        "refused",
        "refusal",
        "refusing",
        "decline",
        "declined",
        "declining",
        "deny",
        "denied",
        "withhold",
        "withheld",
        "withdraw",
        "withdrawn",
        "withdrawal",
        "withdrew",
        "optout",
        "object",
        "objection",
        "objected",
        "objecting",
        "exclude",
        "excluded",
        "exclusion",
        "exempt",
        "except",
        "unless",
        "restrict",
        "restricted",
        "restriction",
        "ban",
        "banned",
        "prohibit",
        "prohibited",
        "dont",
        "doesnt",
        "cannot",
        "cant",
        "stop",
        "stopped",
    ]
)
OBJECTIONS = frozenset(["object", "objection", "objected", "objecting"])

DATE_WORDS = frozenset(["date", "dated"])
EXPIRY_WORDS = frozenset(["expiry", "expire", "expired", "expiring", "expiration", "until"])

SPEAKS_OF_CONSENT = frozenset(
    [
        "consent",
        "consented",
        "permission",
        "publish",
        "publication",
        "published",
        "publishing",
        "publicity",
        "biometric",
        "sibling",
        "newsletter",
        "press",
        "newspaper",
        "media",
        "social",
        "facebook",
        "twitter",
        "instagram",
        "youtube",
        "prospectus",
        "online",
        "fingerprint",
        "yearbook",
        "objection",
    ]
)

OTHER_CONSENTS = frozenset(
    """internet acces|internet access|internet|copyright|data exchange|data sharing|sex education|
    trip|visit|local visit|local trip|educational visit|outing|local outing|paracetamol|medical|
    medical treatment|medicine|first aid|emergency treatment|emergency medical treatment|swimming|
    sun cream|suncream|face painting|email|text message|text|sms|meal|cooking|food tasting|walk|
    transport|minibu|pastoral|counselling|survey|religiou education|assembly|worship|
    network acces|computer|computer use|acceptable|ipad|tablet""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Consents that have nothing to do with pictures, as word stems: passed over without asking."""
