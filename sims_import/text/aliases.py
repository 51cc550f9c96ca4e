"""Captions seen in SIMS, Arbor and Bromcom exports, and English words for consents and answers.

Identity captions are compared without spaces and signs (``Reg. Group`` is ``reggroup``). Words of
consents are compared one by one, without a plural s. Sources: captions in public SIMS, Arbor and
Bromcom integrations and in exports of schools (docs/sims-exports.md). A school adds words of its
own in its settings or its mapping.
"""

from __future__ import annotations


def _set(text: str, separator: str | None = None) -> frozenset[str]:
    """The entries of a list separated by spaces or by ``separator``."""
    return frozenset(" ".join(word.split()) for word in text.split(separator))


_IDENTITY: dict[str, frozenset[str]] = {
    "admission_number": _set(
        """adno admno admissionno admissionnumber admissionnum admnumber admnum
        admissionsnumber admissionsno adnum adnumber admission admissionid admissionref
        admissionreference admissioncode adn admissionnr simsadmissionnumber"""
    ),
    "upn": _set("upn uniquepupilnumber uniquepupilno upnnumber upnno uniquepupilid currentupn"),
    "forename": _set(
        """forename forenames firstname firstnames legalforename legalforenames legalfirstname
        legalfirstnames givenname givennames legalgivenname legalgivennames christianname fname
        first"""
    ),
    "surname": _set(
        """surname legalsurname lastname legallastname familyname legalfamilyname secondname
        sname last"""
    ),
    "preferred_forename": _set(
        """chosenname preferredforename preferredfirstname chosenforename chosenfirstname knownas
        knownname preferredname preferredgivenname preferred preferredforenames"""
    ),
    "preferred_surname": _set(
        """preferredsurname preferredlastname chosensurname chosenlastname preferredfamilyname"""
    ),
    "display_name": _set(
        """displayname fullname name legalname legalfullname preferredfullname surnameforename
        forenamesurname nameofpupil surnameandforename listname student pupil learner child"""
    ),
    "reg_group": _set(
        """reg reggroup registrationgroup registration registrationform regform form formgroup
        tutorgroup class classname regclass mainclass formclass registrationclass tutorgrp reggrp
        currentreggroup currentregistrationform"""
    ),
    "year": _set(
        """year yeargroup yeartaughtin ncyear nationalcurriculumyear yr yrgroup curriculumyear
        ncyearactual currentyear currentyeargroup nationalcurriculumyeargroup yeargrp ncyeargroup
        yearcode currentncyear"""
    ),
    "date_of_birth": _set("dob dateofbirth birthdate birthday dateofbirthdob birth"),
    "family": _set(
        """family familykey familyid familyno familynumber familycode familyref familyreference
        familygroup siblingkey sibling siblinggroup siblingid siblinglink siblingref household
        householdid householdkey familylink siblingcode"""
    ),
    "address": _set(
        """address homeaddress addressline1 addressline2 address1 address2 addressblock street
        housenumber houseno postcode postalcode homepostcode addresspostcode fulladdress
        mainaddress"""
    ),
    "left_on": _set(
        """dateofleaving leavingdate dol leavedate leaverdate dateleft leftdate lefton leaveson
        enrolmentenddate enrollmentenddate enrolmentend enddateofenrolment offrolldate offrollon
        leftschool schoolleavingdate rollenddate schoolenddate dateleaving leaverson
        enrolmentleavingdate expectedleavingdate"""
    ),
    "leaver": _set(
        """leaver leavers isleaver leaverflag hasleft left leaverstatus leavingflag formerpupil
        offroll archived exited"""
    ),
    "roll_status": _set(
        """enrolmentstatus enrollmentstatus rollstatus onroll isonroll pupilstatus studentstatus
        enrolstatus statusonroll schoolstatus currentpupil rollstate"""
    ),
    "school": _set(
        """school schoolname academy academyname establishment establishmentname site campus
        schoolcode dfenumber urn estab estabnumber laestab"""
    ),
    "note": _set(
        """note notes comment comments remark remarks consentnotes consentnote consentcomments
        consentcomment photonotes photonote photocomments additionalinformation additionalinfo
        additionalcomments furtherinformation otherinformation info information details detail
        givenby consentgivenby whogaveit whogaveconsent consentby signedby completedby parentname
        recordedby enteredby relationship relationshiptopupil respondent nameofparent
        parentcarername nameofparentcarer submittedby updatedby source method reason memo"""
    ),
    "given_on": _set(
        """date dategiven givenon givendate consentdate dateofconsent consentgivenon startdate
        consentstartdate consentstart datesigned signedon signeddate dateconsented consentedon
        consenteddate consenteddatetime granteddate grantedon dategranted submitted submittedon
        timestamp completiontime datesubmitted responsedate dateofresponse recordedon
        daterecorded validfrom effectivefrom fromdate datefrom lastmodified lastupdated
        confirmeddatetime createddatetime startdatetime"""
    ),
    "expires_on": _set(
        """enddate consentenddate consentend validuntil validto expirydate expires expireson
        expiry expirationdate consentexpiry consentexpirydate consentvaliduntil until todate
        dateto enddatetime expirydatetime effectiveto consentexpires dateexpires enddateofconsent
        consentuntil permissionexpires permissionexpiry consentvalidto consentendson endson
        lastday reviewby"""
    ),
    "consent_request": _set(
        """requesteddatetime requesteddate daterequested requestedon requested requestsent
        datesent senton remindersent lastremindersent"""
    ),
}

_IDENTITY["ignore"] = _IDENTITY.pop("consent_request") | _set(
    """primaryid id rowid recordid rowno rownumber number no nr personid studentid pupilid
    externalid misid simsid uniqueid internalid uln uci uniquelearnernumber candidatenumber
    examnumber formerupn formerupns previousupn house housename gender sex legalsex gendercode
    title salutation suffix initials middlename middlenames legalmiddlename legalmiddlenames
    keystage ks sen senstatus senneeds sencode fsm freeschoolmeals pupilpremium pp eal ethnicity
    ethniccode religion firstlanguage homelanguage language nationality countryofbirth
    placeofbirth age ageinyears boarder boarderstatus parttime attendance attendancepercent
    admissiondate dateofadmission admittedon entrydate dateofentry doa joined joiningdate
    dateofjoining startedon enrolmentstartdate enrolmentdate teacher classteacher
    formtutor tutor regtutor headofyear email emailaddress parentemail parentsemail homeemail
    pupilemail studentemail telephone phone mobile hometelephone telephonenumber phonenumber
    mobilenumber parentmobile homephone contactnumber parent1email parent2email
    transport busroute bus mealtype dietary diet meals lunch doctor gp surgery nhsnumber
    attendancepct lookedafter incare inlac allergies allergy medicalconditions medicalcondition
    medicalnotes oldadno adnoold previousadno oldadmissionnumber formeradmissionnumber
    previousadmissionnumber salutations parentalsalutation prioritycontact emergencycontact
    photofile photo1 band stream set subject option building room locker seat ward postcodearea
    localauthority la lea previousschool nextschool uploadid formid responseid"""
)

IDENTITY: dict[str, str] = {alias: role for role, names in _IDENTITY.items() for alias in names}
"""Role by caption without spaces and signs. ``primaryid`` is a row id of SIMS, no admission number.

Captions with the role ``ignore`` have nothing to do with pictures. All other unknown captions are
asked about if their cells may mean no.
"""

IDENTITY_FILLERS = _set("pupil pupils student students learner childs child sims s")
"""Words that do not change the meaning of an identity caption, as in "Pupil surname"."""

LONG_TYPES = _set(
    """consenttype consenttypes parentalconsenttype typeofconsent consentname consentdescription
    consentcategory consentitem consentfor permissiontype permissionname consentpurpose purpose
    parentalconsentdescription consenttypedescription consenttypename consentquestion
    parentalconsenttypedescription parentalconsenttypename consentdefinition consentkind"""
)
LONG_ANSWERS = _set(
    """consentgiven given consentstatus status response answer consentvalue value granted consented
    consentanswer consentresponse permissiongiven parentalconsentgiven consentgranted decision
    consentdecision yesno permissionstatus permissiongranted consentstate permissionresponse
    consentselection agreed permissionanswer parentalconsentstatus state latestconsentstatus
    latestconsent currentstatus currentstate consentoutcome latestresponse parentresponse
    parentalresponse latestanswer permission consentaction"""
)

NEVER_PUBLISH = _set(
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

PHOTO_WORDS = _set(
    """photograph photo picture pic image imagery photographic photography photographed
    photographing"""
)
PUBLISH_WORDS = _set("publish publication published publishing publicity publicise")
FILM_WORDS = _set("film filming filmed video footage videoing recording")
"""A type about film alone does not cover photographs, so a person is asked about it."""

FILLERS = _set(
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

NEGATIONS = _set(
    """no not never non without refuse refused refusal refusing decline declined declining deny
    denied withhold withheld withdraw withdrawn withdrawal withdrew optout object objection
    objected objecting exclude excluded exclusion exempt except unless restrict restricted
    restriction ban banned prohibit prohibited dont doesnt cannot cant stop stopped neither nor
    reject rejected rejection revoke revoked revocation cancel cancelled canceled cancellation
    lapse lapsed rescind rescinded terminate terminated termination end ended remove removed
    disallow disallowed disagree disagreed isnt wont shouldnt mustnt arent hasnt havent none
    optedout forbid forbidden barred suspended inactive invalid negative against"""
)
OBJECTIONS = _set("object objection objected objecting")
REFUSALS = _set(
    """refuse refused refusal decline declined deny denied withhold withheld withdraw withdrawn
    withdrawal optout reject rejected rejection revoke revoked revocation cancel cancelled
    canceled cancellation lapse lapsed rescind rescinded terminate terminated termination ended
    optedout disagree disagreed disallowed forbidden barred"""
)
"""Words that make a caption a refusal by themselves. "No" may mean number, and "Excluded" may be
about a pupil, so they are left out."""
ANSWER_HINTS = ("yes no", "y n", "t f", "true false", "opt in")
"""Words that explain how to fill in a column. They do not change the meaning of its caption."""

DATE_WORDS = _set("date dated datetime timestamp")
EXPIRY_WORDS = _set("expiry expire expired expiring expiration until valid end")
NOTE_WORDS = _set("note comment remark reason relationship who whom explanation memo")
"""Words in the caption of a column that describes a consent and does not give one."""
PARENT_WORDS = _set("parent mother father carer guardian mum dad contact")
"""Words for people who answer. If all columns of one question have one, each is one answer."""
ON_ROLL = _set(
    """y|yes|true|t|1|current|on roll|active|enrolled|on-roll|present|current pupil|registered|c|
    current single registration at this school|single registration|main|dual|guest|subsidiary|
    current (single registration at this school)""",
    "|",
)
"""Texts of a status column for pupils who are at the school."""
OFF_ROLL = _set(
    """n|no|false|f|0|leaver|left|off roll|off-roll|former|former pupil|ended|inactive|withdrawn|
    transferred|removed|archived|not on roll|exited|deregistered|alumni""",
    "|",
)
"""Texts of a status column for pupils who are not, or no longer, at the school."""
STAFF_WORDS = _set(
    """staff teacher teaching governor volunteer visitor employee headteacher contractor"""
)
"""Words in a class or year column for people who are not pupils."""
STATUS_WORDS = _set("status state code flag stage outcome result decision marker indicator level")
"""Words that make every value of a column with an unknown caption matter."""
HISTORIC_WORDS = _set(
    """leaver leavers left former archive archived old previous historic draft test template example
    sample superseded obsolete"""
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
    r"\bend of (term|year|report|file|list)\b",
    r"\bgiven (and|or|/|&) (refused|declined|withdrawn|not given)\b",
    r"\byes ?(and|or|/|&) ?no\b",
)
"""Patterns with a negative word that is not about consent. "No" may mean number."""
CAUTION_WORDS = _set(
    """only until before ask asked check court foster fostered adopted lac safeguarding concern
    concerned pending review reviewed hold private wait waiting careful caution restrictions
    condition conditional limited remove change changed please sensitive protected protection
    order contact estranged custody refuge police risk former previous old historic historical
    superseded replaced void archived archive deleted closed prefer prefers rather unhappy avoid"""
)
"""Words in free text that may mean no, in addition to ``NEGATIONS``."""

SPEAKS_OF_CONSENT = _set(
    """consent consented permission publish publication published publishing publicity biometric
    sibling newsletter press newspaper media social facebook twitter instagram youtube prospectus
    online internet fingerprint yearbook object objection"""
)

OTHER_CONSENTS = _set(
    """internet access|copyright|data exchange|data sharing|sex education|
    trip|visit|local visit|local trip|educational visit|outing|local outing|paracetamol|medical|
    medical treatment|medicine|first aid|emergency treatment|emergency medical treatment|swimming|
    sun cream|suncream|face painting|email|text message|text|sms|meal|cooking|food tasting|walk|
    transport|minibu|pastoral|counselling|survey|religiou education|assembly|worship|
    network access|computer|acceptable|ipad|tablet""",
    "|",
)
"""Consents that have nothing to do with pictures, as word stems. They are ignored."""
