"""English words for consents, refusals and answers, as SIMS, Arbor and Bromcom exports use them.

Words are compared one by one, without a plural s. Sources: captions in public SIMS, Arbor and
Bromcom integrations and in exports of schools (docs/sims-exports.md). A school adds words of its
own in its settings or its mapping.
"""

from __future__ import annotations

from sims_import.text.words import word_set

NEVER_PUBLISH = word_set(
    """neverpublish neverpublished nevertobepublished donotpublish dontpublish nottobepublished
    neverphotograph donotphotograph dontphotograph nottobephotographed nopublicity nopublication
    neverpublishmarker neverpublishflag neverpublishpupil neverpublishchild nopublish
    donotpublishflag donotpublishmarker donotpublishphotos donotpublishimages
    donotpublishphotographs neverpublishphotos neverpublishimages neverpublishphotographs
    safeguardingneverpublish safeguardingdonotpublish safeguardingnophotos safeguardingnoimages
    safeguardingnopublicity nopublicityflag donotphotographflag mustnotbephotographed
    mustnotbepublished nottobepublishedflag neverpublishany nopublicitymarker donotpublicise"""
)

PURPOSE_PHRASES: dict[str, tuple[str, ...]] = {
    "website": ("website", "web site", "web page", "webpage", "web"),
    "mag": ("mag", "magazine"),
    "displays": (
        "display",
        "display board",
        "wall display",
        "internal display",
        "classroom display",
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
"""Built-in phrases for purposes with these names. ``internet``, ``online``, ``newsletter`` and
``fingerprint`` are left out on purpose: they are other uses, so a person is asked about them."""

PHOTO_WORDS = word_set(
    """photograph photo picture pic image imagery photographic photography photographed
    photographing"""
)
PUBLISH_WORDS = word_set("publish publication published publishing publicity publicise")
FILM_WORDS = word_set("film filming filmed video footage videoing recording")
"""A type about film alone does not cover photographs, so a person is asked about it."""

FILLERS = word_set(
    """consent consented permission parental parent guardian carer pupil student child children
    childs childrens learner school the a an of on in for to use used using usage be being may can
    could my our your his her their it by at from within around inside and or with as i we is are
    was has have had do publish publication published publishing show shown showing appear
    appearing give given giving agree agreed agreement allow allowed allowing authorise authorised
    take taken taking include included including inclusion own type you yes happy put posted
    placed feature featured status answer response decision granted gdpr mother father mum dad
    contact"""
)
"""Words that do not change which use a type names. "only", "name", "work", "form", "received" and
"internal" may change it, so they are left out and a person is asked."""

NEGATIONS = word_set(
    """no not never non without refuse refused refusal refusing decline declined declining deny
    denied withhold withheld withdraw withdrawn withdrawal withdrew optout object objection
    objected objecting exclude excluded exclusion exempt except unless restrict restricted
    restriction ban banned prohibit prohibited dont doesnt cannot cant stop stopped neither nor
    reject rejected rejection revoke revoked revocation cancel cancelled canceled cancellation
    lapse lapsed rescind rescinded terminate terminated termination end ended remove removed
    disallow disallowed disagree disagreed isnt wont shouldnt mustnt arent hasnt havent none
    optedout forbid forbidden barred suspended inactive invalid negative against excluding
    nonconsenting nonconsent objects paused"""
)
FOREIGN_NEGATIONS = word_set(
    """dim ddim heb nac nid nage peidiwch peidio gwrthod gwrthodwyd tynnwyd kein keine keinen keiner
    keinerlei nicht nein ohne widerruf widerrufen abgelehnt verweigert nie brak bez odmowa odmawiam
    cofnieta wycofana zakaz pas sans senza nessun nessuna sin ningun ninguna sem nao fara geen niet
    nincs nem"""
)
"""Words for no and without in Welsh, German, Polish, French, Italian, Spanish, Portuguese,
Romanian, Dutch and Hungarian, without accents. They stop grants or refuse, and never grant."""
OBJECTIONS = word_set("object objection objected objecting")
REFUSALS = word_set(
    """refuse refused refusal decline declined deny denied withhold withheld withdraw withdrawn
    withdrawal optout reject rejected rejection revoke revoked revocation cancel cancelled
    canceled cancellation lapse lapsed rescind rescinded terminate terminated termination ended
    optedout disagree disagreed disallowed forbidden barred"""
)
"""Words that make a caption a refusal by themselves. "No" may mean number, and "Excluded" may be
about a pupil, so they are left out."""
ANSWER_HINTS = (
    *("yes no", "no yes", "y n", "n y", "t f", "true false", "opt in"),
    *(f"{verb} all that apply" for verb in ("please tick", "tick", "please select", "select")),
)
"""Words that explain how to fill in a column. They do not change the meaning of its caption."""

DATE_WORDS = word_set("date dated datetime timestamp")
EXPIRY_WORDS = word_set("expiry expire expired expiring expiration until valid end")
NOTE_WORDS = word_set("note comment remark reason relationship who whom explanation memo")
"""Words in the caption of a column that describes a consent and does not give one."""
FREE_NOTES = word_set(
    """note notes comment comments remark remarks memo information info detail details reason
    explanation see view"""
)
"""Words in the caption of a column of notes in anybody's words."""
PARENT_WORDS = word_set("parent mother father carer guardian mum dad contact")
"""Words for people who answer. If all columns of one question have one, each is one answer."""
ON_ROLL = word_set(
    """y|yes|true|t|1|current|on roll|active|enrolled|on-roll|present|current pupil|registered|c|
    current single registration at this school|single registration|main|dual|guest|subsidiary|
    current (single registration at this school)""",
    "|",
)
"""Texts of a status column for pupils who are at the school."""
OFF_ROLL = word_set(
    """n|no|false|f|0|leaver|left|off roll|off-roll|former|former pupil|ended|inactive|withdrawn|
    transferred|removed|archived|not on roll|exited|deregistered|alumni""",
    "|",
)
"""Texts of a status column for pupils who are not, or no longer, at the school."""
RETURNED = word_set(
    """formreceived formreturned formin returned received consentformreceived consentformreturned
    photoconsentformreceived photoconsentformreturned formsreturned formsreceived signed
    formsigned"""
)
"""Captions of columns in which a yes or a day in every row is no doubt."""
SAFEGUARDING = word_set(
    """cp cpflag childprotection childprotectionplan cpp lac lacflag cla lookedafter
    lookedafterchild incare inlac cin childinneed safeguarding safeguardingflag restrictions
    restriction testpupil sgo"""
)
"""Captions of columns in which a no or a blank in every row is no doubt."""
STAFF_WORDS = word_set(
    """staff teacher teaching governor volunteer visitor employee headteacher contractor"""
)
"""Words in a class or year column for people who are not pupils."""
STATUS_WORDS = word_set(
    """status state code flag stage outcome result decision marker indicator level overall rag
    colour color action change event superseded supersedes replaced latest active deleted duration
    validity valid limit limits scope condition conditions"""
)
"""Words that make every value of a column with an unknown caption matter."""
LIMIT_WORDS = word_set(
    """audience audiences visibility visible sharing share shared access extent where platform
    platforms channel channels media format shot shots naming caption captions traffic light sticker
    lanyard wristband tier terms duration period occasion occasions instruction instructions
    preference preferences wish wishes request requests issue issues custody risk privacy exposure
    usage uses use rights basis treatment handling face faces viewers
    purpose purposes profile see seen view shown appear appears appearing publish published
    display"""
)
"""Words in an unknown caption of a column that may say how far a consent goes."""
SCHOOL_LIFE = word_set(
    """club clubs bus route stop taxi transport travel lunch meal meals dinner milk snack fruit diet
    food instrument music lesson lessons choir orchestra sport sports swimming book books reading
    phonics spelling maths english science mark marks score scores grade grades set sets subject
    subjects language languages country nationality ethnicity religion town village city district
    street road car registration locker peg tray colour team house houses council prefect monitor
    middle maiden known alias nickname initials title suffix pronoun pronouns age birthday position
    medical health allergy allergies medication doctor surgery gp nhs hearing eyesight glasses sen
    send ehcp eal fsm premium intervention interventions support keyworker breakfast wraparound
    nursery preschool playgroup feeder destination secondary transfer bursary fee fees account
    balance laptop device ipad tablet login phone mobile telephone email next kin emergency"""
)
"""Words in an unknown caption of a column that is about something else than consent."""
ANSWERED_BY = word_set(
    """given gave signed signature signatory answered respondent responder relationship consented
    completed submitted who whom role source by"""
)
"""Words in the caption of a column that says who answered."""
HISTORIC_WORDS = word_set(
    """leaver leavers left former archive archived old previous historic draft test template example
    sample superseded obsolete outdated demo dummy mock fictional"""
)
"""Words in a title or the name of a sheet for lists that are old or not real."""
BENIGN_NEGATIONS = (
    r"\bdo not (edit|print|copy|delete|forward|distribute|share|amend|change|circulate|alter|"
    r"overwrite|remove|move|sort|rename|modify|reply)\b",
    r"\bnot for (distribution|circulation|onward|general)\b",
    r"\b(adm|admission|admissions|reg|ref|ticket|tel|telephone|phone|house|row|page|form|room|"
    r"serial|roll|count|total|school|pupil|student|candidate|exam|upn)\.? no\b\.?",
    r"\bno\.? (of|pupils|students|records|children|on roll)\b",
    r"\bno (class|group|form|registration|reg|tutor|year|house)\b",
    r"\b(class|group|form|house|tutor|year)\W+(none|no)$",
    r"\b(week|term|weekend|year|month|period) end(ing)?\b",
    r"\b(report|period|term|week|year) end(s|ing)? (date|on)\b",
    r"\bno (upns?|emails?|address|addresses)\b",
    r"^\W*ends?\W*$",
    r"\bend of (term|year|report|file|list)\b",
    r"\bgiven (and|or|/|&) (refused|declined|withdrawn|not given)\b",
    r"\byes ?(and|or|/|&) ?no\b",
    r"\bcp (primary |infant |infants |junior |c of e |ce |and nursery )*(school|academy)\b",
    r"\bconfidential\b( ?[-\u2013\u2014:]? ?for (staff|office|internal school) use( only)?\b)?",
    r"\bdata protection( act( 1998| 2018)?)?\b",
    r"\bhead ?teacher\b",
    r"\b(report|file) name\b",
    r"\bcontains personal (data|information)\b",
    r"\bhandle with care\b",
    r"\b(please )?(dispose of|destroy|shred|store|keep|file) (this (list|report|document|copy) )?"
    r"(securely|in the office|after use)\b",
    r"\bmust be (shredded|destroyed|kept|stored|disposed of)( securely)?( after use)?\b",
    r"\b(must|should|may) not be (disclosed|shared|copied|left|passed on|forwarded)"
    r"( to third parties| with third parties| unattended)?\b",
    r"\bdo not leave( this (list|report|document))? unattended\b",
    r"\b(must )?not (to )?be removed from( the)?( school)?( premises| site)?\b",
)
"""Patterns with a negative word that is not about consent. "No" may mean number."""
CAUTION_WORDS = word_set(
    """only until before ask asked check court foster fostered adopted lac safeguarding concern
    concerned pending review reviewed hold private wait waiting careful caution restrictions
    condition conditional limited remove change changed please sensitive protected protection
    order contact estranged custody refuge police risk former previous old historic historical
    superseded replaced void archived archive deleted closed prefer prefers rather unhappy avoid
    await awaited awaiting outstanding unsigned incomplete missing chase chasing chased verbal
    verbally provisional provisionally temporary temporarily undecided unsure unclear
    unconfirmed tbc query queried disputed dispute discuss seek seeking adoption adoptive
    guardianship injunction domestic violence abuse threat witness confidential discreet secret
    anonymous anonymity blur blurred crop cropped hide hidden cover covered obscure obscured
    distance hiding cp cin lac cla sgo dnp assumed implied deemed inferred presumed default
    backup bak trash bin blocked blacklist blacklisted exception query"""
)
"""Words in free text that may mean no, in addition to ``NEGATIONS``."""
TITLE_WORDS = word_set("contact order")
"""Words of ``CAUTION_WORDS`` that are usual in titles: ``Contacts in alphabetical order``."""
SENTENCE_WORDS = word_set(
    """is are was were be been being has have had will would shall should must might can could does
    did if when unless while since although but see note nb expire expires expired expiry invalid
    incorrect wrong lost void used valid applies apply applied treat means mean stands denotes till
    apart blank omitted needed required requires unanswered overdue nil unverified stale looked
    training defaulted default"""
)
"""Words of sentences. A sentence outside the table may restrict what the table says. "May" is left
out, because it is a month."""

SPEAKS_OF_CONSENT = word_set(
    """consent consented permission publish publication published publishing publicity biometric
    sibling newsletter press newspaper media social facebook twitter instagram youtube prospectus
    online internet fingerprint yearbook object objection"""
)

OTHER_CONSENTS = word_set(
    """internet access|copyright|data exchange|data sharing|sharing data|sex education|
    trip|visit|local visit|local trip|educational visit|outing|local outing|paracetamol|medical|
    medical treatment|medicine|first aid|emergency treatment|emergency medical treatment|swimming|
    sun cream|suncream|face painting|email|text message|text|sms|meal|cooking|food tasting|walk|
    transport|minibu|pastoral|counselling|survey|religiou education|assembly|worship|
    network access|computer|acceptable|ipad|tablet""",
    "|",
)
"""Consents that have nothing to do with pictures, as word stems. They are ignored."""
