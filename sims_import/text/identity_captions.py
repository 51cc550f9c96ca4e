"""Captions of columns that say who a pupil is, and of columns with one consent type a row.

They were seen in SIMS, Arbor and Bromcom exports. They are compared without spaces and signs
(``Reg. Group`` is ``reggroup``). Sources: captions in public SIMS, Arbor and Bromcom integrations
and in exports of schools (docs/sims-exports.md).
"""

from __future__ import annotations

from sims_import.text.words import word_set

_IDENTITY: dict[str, frozenset[str]] = {
    "admission_number": word_set(
        """adno admno admissionno admissionnumber admissionnum admnumber admnum
        admissionsnumber admissionsno adnum adnumber admission admissionid admissionref
        admissionreference admissioncode adn admissionnr simsadmissionnumber"""
    ),
    "upn": word_set("upn uniquepupilnumber uniquepupilno upnnumber upnno uniquepupilid currentupn"),
    "forename": word_set(
        """forename forenames firstname firstnames legalforename legalforenames legalfirstname
        legalfirstnames givenname givennames legalgivenname legalgivennames christianname fname
        first"""
    ),
    "surname": word_set(
        """surname legalsurname lastname legallastname familyname legalfamilyname secondname
        sname last"""
    ),
    "preferred_forename": word_set(
        """chosenname preferredforename preferredfirstname chosenforename chosenfirstname knownas
        knownname preferredname preferredgivenname preferred preferredforenames"""
    ),
    "preferred_surname": word_set(
        """preferredsurname preferredlastname chosensurname chosenlastname preferredfamilyname"""
    ),
    "display_name": word_set(
        """displayname fullname name legalname legalfullname preferredfullname surnameforename
        forenamesurname nameofpupil surnameandforename listname student pupil learner child"""
    ),
    "reg_group": word_set(
        """reg reggroup registrationgroup registration registrationform regform form formgroup
        tutorgroup class classname regclass mainclass formclass registrationclass tutorgrp reggrp
        currentreggroup currentregistrationform"""
    ),
    "year": word_set(
        """year yeargroup yeartaughtin ncyear nationalcurriculumyear yr yrgroup curriculumyear
        ncyearactual currentyear currentyeargroup nationalcurriculumyeargroup yeargrp ncyeargroup
        yearcode currentncyear"""
    ),
    "date_of_birth": word_set("dob dateofbirth birthdate birthday dateofbirthdob birth"),
    "family": word_set(
        """family familykey familyid familyno familynumber familycode familyref familyreference
        familygroup siblingkey sibling siblinggroup siblingid siblinglink siblingref household
        householdid householdkey familylink siblingcode"""
    ),
    "address": word_set(
        """address homeaddress addressline1 addressline2 address1 address2 addressblock street
        housenumber houseno postcode postalcode homepostcode addresspostcode fulladdress
        mainaddress"""
    ),
    "left_on": word_set(
        """dateofleaving leavingdate dol leavedate leaverdate dateleft leftdate lefton leaveson
        enrolmentenddate enrollmentenddate enrolmentend enddateofenrolment offrolldate offrollon
        leftschool schoolleavingdate rollenddate schoolenddate dateleaving leaverson
        enrolmentleavingdate expectedleavingdate"""
    ),
    "leaver": word_set(
        """leaver leavers isleaver leaverflag hasleft left leaverstatus leavingflag formerpupil
        offroll archived exited reasonforleaving leavingreason leaverdestination destination"""
    ),
    "roll_status": word_set(
        """enrolmentstatus enrollmentstatus rollstatus onroll isonroll pupilstatus studentstatus
        enrolstatus statusonroll schoolstatus currentpupil rollstate"""
    ),
    "school": word_set(
        """school schoolname academy academyname establishment establishmentname site campus
        schoolcode dfenumber urn estab estabnumber laestab establishmentnumber"""
    ),
    "note": word_set(
        """note notes comment comments remark remarks consentnotes consentnote consentcomments
        consentcomment photonotes photonote photocomments additionalinformation additionalinfo
        additionalcomments furtherinformation otherinformation info information details detail
        givenby consentgivenby whogaveit whogaveconsent consentby signedby completedby parentname
        recordedby enteredby relationship relationshiptopupil respondent nameofparent
        parentcarername nameofparentcarer submittedby updatedby source method reason memo"""
    ),
    "given_on": word_set(
        """date dategiven givenon givendate consentdate dateofconsent consentgivenon startdate
        consentstartdate consentstart datesigned signedon signeddate dateconsented consentedon
        consenteddate consenteddatetime granteddate grantedon dategranted submitted submittedon
        timestamp completiontime datesubmitted responsedate dateofresponse recordedon
        daterecorded validfrom effectivefrom fromdate datefrom lastmodified lastupdated
        confirmeddatetime createddatetime startdatetime"""
    ),
    "expires_on": word_set(
        """enddate consentenddate consentend validuntil validto expirydate expires expireson
        expiry expirationdate consentexpiry consentexpirydate consentvaliduntil until todate
        dateto enddatetime expirydatetime effectiveto consentexpires dateexpires enddateofconsent
        consentuntil permissionexpires permissionexpiry consentvalidto consentendson endson
        lastday reviewby renewby renewaldate renewal"""
    ),
    "consent_request": word_set(
        """requesteddatetime requesteddate daterequested requestedon requested requestsent
        datesent senton remindersent lastremindersent"""
    ),
}


_IDENTITY["ignore"] = _IDENTITY.pop("consent_request") | word_set(
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
    attendancepct allergies allergy medicalconditions medicalcondition
    medicalnotes oldadno adnoold previousadno oldadmissionnumber formeradmissionnumber
    previousadmissionnumber salutations parentalsalutation prioritycontact emergencycontact
    photofile photo1 band stream set subject building room locker seat ward postcodearea
    servicechild servicechildren armedforces fsm6 ever6fsm ever6 everfsm gifted giftedandtalented
    moreable ehcp ehcplan senprovision primaryneed senneed ageyears rollnumber classcode regcode
    scn scottishcandidatenumber pupilstage schoolstage cohort intake intakeyear yearofentry
    starttime lastmodifiedtime recordeddate consentformdate
    localauthority la lea previousschool nextschool uploadid formid responseid"""
)


IDENTITY: dict[str, str] = {alias: role for role, names in _IDENTITY.items() for alias in names}
"""Role by caption without spaces and signs. ``primaryid`` is a row id of SIMS, no admission number.

Captions with the role ``ignore`` have nothing to do with pictures. All other unknown captions are
asked about if their cells may mean no.
"""


IDENTITY_FILLERS = word_set("pupil pupils student students learner childs child sims s")
"""Words that do not change the meaning of an identity caption, as in "Pupil surname"."""


LONG_TYPES = word_set(
    """consenttype consenttypes parentalconsenttype typeofconsent consentname consentdescription
    consentcategory consentitem consentfor permissiontype permissionname consentpurpose purpose
    parentalconsentdescription consenttypedescription consenttypename consentquestion
    parentalconsenttypedescription parentalconsenttypename consentdefinition consentkind"""
)


LONG_ANSWERS = word_set(
    """consentgiven given consentstatus status response answer consentvalue value granted consented
    consentanswer consentresponse permissiongiven parentalconsentgiven consentgranted decision
    consentdecision yesno permissionstatus permissiongranted consentstate permissionresponse
    consentselection agreed permissionanswer parentalconsentstatus state latestconsentstatus
    latestconsent currentstatus currentstate consentoutcome latestresponse parentresponse
    parentalresponse latestanswer permission consentaction"""
)
