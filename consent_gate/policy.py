"""The rules of the gate. Print this page and read it: it is all there is.

``decide`` answers, for each channel, one question: may this picture go out there now? It looks
at nothing but its arguments. It changes nothing. It always answers.

The rules, in the order of the code:

1.  A sealed picture goes nowhere, and nothing else about it is told.
2.  A picture that was not examined, for whatever reason, is held.
3.  A channel to which staff refused the picture stays closed to it.
4.  Consent information that is too old (a term by default), undated or dated in the future holds
    everything. So does a kind of consent that vanished from an import until a person has said
    whether that was meant.
5.  A picture in which no face was found is held, unless the channel's setting says otherwise or
    a member of staff approves it.
6.  A picture from a camera that is not on the school's register is held until a member of staff
    approves it. The rule is off while the register of cameras is empty.
7.  Each face must be cleared. The machine clears a face only if all of this is true:
    a. the detectors agree that it is a face, and it is good enough to judge;
    b. it matches one enrolled pupil, clearly, and nobody else;
    c. no other face in the picture matches the same pupil;
    d. the pupil has consent for face matching and nobody objected to it
       (Protection of Freedoms Act 2012, ss.26-28);
    e. the pupil has no brother or sister in the school without an enrolment photo;
    f. every pupil whom the models confuse with this one is cleared for the channel as well;
    g. the enrolment photo is recent enough;
    h. where staff named the classes at the event, the pupil is in one of them;
    i. the pupil is on roll, and consent for the channel's purpose is *given* and not expired.
       A blank is not a yes (UK GDPR).
8.  A face lower in the published picture than the channel's limit counts as unrecognisable. The
    limit is 0 by default. It never excuses a pupil who was recognised.
9.  What staff say of a face (a tag) clears it only together with a signed approval for that
    channel, and only for a pupil with consent, an adult with a stated agreement, something that
    is no face, or a face blurred out. A tag that speaks against release counts at once.
10. "Never publish" beats everything, whoever recognised the pupil, machine or staff.
11. Where a channel asks for two people, an approval waits for a second, different person.
12. If anything goes wrong in here, every channel is held as not examined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from consent_gate.model import (
    BIOMETRIC,
    Ambiguous,
    Answer,
    Approval,
    ChannelRules,
    DeviceRule,
    Evidence,
    Examined,
    FaceBasis,
    FaceEvidence,
    FaceKind,
    Hold,
    Match,
    NotExamined,
    NotJudged,
    Pupil,
    Reason,
    Register,
    Release,
    Rules,
    StaffInput,
    Tag,
    TagKind,
    Verdict,
    WhenNoFaces,
)

NO_STAFF_INPUT = StaffInput()

TOO_POOR_TO_TELL = frozenset(
    {Reason.LOW_QUALITY_FACE, Reason.UNKNOWN_FACE, Reason.POSSIBLE_FACE, Reason.AMBIGUOUS_MATCH}
)
"""Reasons that rule 8 may excuse: nobody was recognised."""

HOLDS_NEW_ONLY = frozenset(
    {
        Reason.REGISTER_STALE,
        Reason.ENROLMENT_TOO_OLD,
        Reason.SIBLING_GUARD,
        Reason.UNREGISTERED_DEVICE,
        Reason.NO_FACES_FOUND,
        Reason.AWAITING_SECOND_PERSON,
    }
)
"""Reasons that stop a new release but do not call back a picture that is already out: nobody in
it has lost consent. Any other reason recalls it (docs/adr/0002-recall.md)."""


def decide(
    evidence: Evidence,
    register: Register,
    rules: Rules,
    now: datetime,
    staff: StaffInput = NO_STAFF_INPUT,
) -> dict[str, Verdict]:
    """The verdict for every channel, by its name. Never raises (rule 12)."""
    cases = [_Case(evidence, register, rules, now, staff, c) for c in rules.channels]
    return {case.channel.name: _guarded(case) for case in cases}


def must_recall(verdict: Verdict) -> bool:
    """Whether a picture already out in the channel has to come back, given today's verdict."""
    return isinstance(verdict, Hold) and not HOLDS_NEW_ONLY.issuperset(verdict.reasons)


def _guarded(case: _Case) -> Verdict:
    try:
        return case.verdict()
    except Exception:  # noqa: BLE001  rule 12: no exception path ends in a release
        return Hold((Reason.NOT_EXAMINED,))


@dataclass(frozen=True)
class _Case:
    """One picture before one channel."""

    evidence: Evidence
    register: Register
    rules: Rules
    now: datetime
    staff: StaffInput
    channel: ChannelRules

    def verdict(self) -> Verdict:
        """All rules, in order."""
        if self.staff.sealed:
            return Hold((Reason.SEALED,))
        if isinstance(self.evidence, NotExamined):
            return Hold((self.evidence.reason,))
        by_face = {i: self.face_reasons(i) for i in range(self.face_count)}
        reasons = [*self.picture_reasons(), *(r for found in by_face.values() for r in found)]
        if not reasons and self.needs_second_person():
            reasons.append(Reason.AWAITING_SECOND_PERSON)  # rule 11
        if reasons:
            held = {i: tuple(found) for i, found in by_face.items() if found}
            return Hold(tuple(dict.fromkeys(reasons)), held)
        basis = tuple(self.basis(i) for i in range(self.face_count))
        approval = self.approval
        return Release(basis, approval.by if approval and self.needs_approval() else None)

    # --- the picture as a whole ---

    def picture_reasons(self) -> list[Reason]:
        """Rules 3 to 6."""
        reasons = []
        if self.channel.name in self.staff.refused:
            reasons.append(Reason.REFUSED_BY_STAFF)
        if self.register_is_stale() or self.channel.purpose in self.register.suspended:
            reasons.append(Reason.REGISTER_STALE)
        if self.approval is None:
            reasons.extend(self.reasons_staff_may_answer())
        return reasons

    def reasons_staff_may_answer(self) -> list[Reason]:
        """Rules 5 and 6: what holds the whole picture until a person approves it."""
        reasons = []
        if self.face_count == 0 and self.channel.when_no_faces is not WhenNoFaces.RELEASE:
            reasons.append(Reason.NO_FACES_FOUND)
        registered = self.rules.registered_devices
        checked = registered and self.rules.devices is DeviceRule.HOLD
        if checked and self.picture.device not in registered:
            reasons.append(Reason.UNREGISTERED_DEVICE)
        return reasons

    def register_is_stale(self) -> bool:
        """Rule 4."""
        if self.register.exported_on is None:
            return True
        age = (self.today - self.register.exported_on).days
        return not 0 <= age <= self.rules.register_max_age_days

    # --- one face ---

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def picture(self) -> Examined:
        """The evidence after rule 2; anything else that gets here is held by rule 12."""
        if not isinstance(self.evidence, Examined):
            raise TypeError("not an examined picture")
        return self.evidence

    @property
    def face_count(self) -> int:
        return len(self.picture.faces) + len(self.staff.added_faces)

    def face(self, index: int) -> FaceEvidence | None:
        """The machine's evidence; None for a face that staff drew."""
        return self.picture.faces[index] if index < len(self.picture.faces) else None

    def face_reasons(self, index: int) -> list[Reason]:
        """Rules 7 to 10: why this face holds the picture; empty when it is cleared."""
        by_machine = self.machine_reasons(index)
        tag = self.staff.tags.get(index)
        if tag is None:
            return [] if self.is_unrecognisable(index, by_machine) else by_machine
        by_tag = self.tag_reasons(tag)
        if self.approval is None or tag.kind is TagKind.CANNOT_TELL:
            return list(dict.fromkeys([*by_machine, *by_tag]))
        never = [r for r in by_machine if r is Reason.NEVER_PUBLISH]
        return list(dict.fromkeys([*never, *by_tag]))

    def machine_reasons(self, index: int) -> list[Reason]:
        """Rule 7: why the machine alone does not clear this face."""
        face = self.face(index)
        if face is None:
            return [Reason.UNKNOWN_FACE]
        reasons: list[Reason] = []
        if face.kind is not FaceKind.FACE:
            reasons.append(Reason.POSSIBLE_FACE)
        match face.identity:
            case Match(pupil=admission_number):
                reasons.extend(self.match_reasons(index, admission_number))
            case Ambiguous():
                reasons.append(Reason.AMBIGUOUS_MATCH)
            case NotJudged(reason=reason):
                reasons.append(reason)
            case _:
                reasons.append(Reason.UNKNOWN_FACE)
        return reasons

    def match_reasons(self, index: int, admission_number: str) -> list[Reason]:
        """Rules 7c to 7i for a face matched to one pupil."""
        pupil = self.register.pupils.get(admission_number)
        if pupil is None:
            return [Reason.CONSENT_MISSING]
        reasons = self.consent_reasons(pupil)
        if not _is_given(pupil, BIOMETRIC, self.today) or pupil.biometric_objection:
            reasons.append(Reason.BIOMETRIC_CONSENT_MISSING)
        if self.times_shown(index, admission_number) > 1:
            reasons.append(Reason.SAME_PUPIL_TWICE)
        if pupil.has_unenrolled_sibling:
            reasons.append(Reason.SIBLING_GUARD)
        if any(not self.is_cleared(other) for other in pupil.lookalikes):
            reasons.append(Reason.AMBIGUOUS_MATCH)
        if self.enrolment_is_too_old(pupil):
            reasons.append(Reason.ENROLMENT_TOO_OLD)
        if self.staff.roster is not None and admission_number not in self.staff.roster:
            reasons.append(Reason.UNKNOWN_FACE)
        return reasons

    def times_shown(self, index: int, admission_number: str) -> int:
        """Rule 7c: in how many faces this pupil is, this one among them, tags considered."""
        others = Counter(self.named_pupil(i) for i in range(self.face_count) if i != index)
        return 1 + others[admission_number]

    def named_pupil(self, index: int) -> str | None:
        """Whom staff, else the machine, name for a face."""
        tag = self.staff.tags.get(index)
        if tag is not None:
            return tag.pupil if tag.kind is TagKind.PUPIL else None
        face = self.face(index)
        return face.identity.pupil if face and isinstance(face.identity, Match) else None

    def is_cleared(self, admission_number: str) -> bool:
        """Rule 7f: whether a lookalike is cleared for this channel as well."""
        pupil = self.register.pupils.get(admission_number)
        return pupil is not None and not self.consent_reasons(pupil)

    def enrolment_is_too_old(self, pupil: Pupil) -> bool:
        """Rule 7g. A photo dated in the future is no younger for that."""
        if pupil.enrolled_on is None:
            return True
        return (self.today - pupil.enrolled_on).days > self.rules.enrolment_max_age_days

    def consent_reasons(self, pupil: Pupil) -> list[Reason]:
        """Rules 7i and 10: what this pupil's register entry says about this channel."""
        reasons = [Reason.NEVER_PUBLISH] if pupil.never_publish else []
        consent = pupil.consents.get(self.channel.purpose)
        if consent is None or not pupil.on_roll or consent.answer is Answer.NOT_STATED:
            reasons.append(Reason.CONSENT_MISSING)
        elif consent.answer is not Answer.GIVEN:
            reasons.append(Reason.CONSENT_REFUSED)
        elif not _is_given(pupil, self.channel.purpose, self.today):
            reasons.append(Reason.CONSENT_EXPIRED)
        return reasons

    def tag_reasons(self, tag: Tag) -> list[Reason]:
        """Rule 9: why what staff said of a face does not clear it."""
        if tag.kind is TagKind.PUPIL:
            pupil = self.register.pupils.get(tag.pupil or "")
            return self.consent_reasons(pupil) if pupil else [Reason.CONSENT_MISSING]
        if tag.kind is TagKind.ADULT_WITH_AGREEMENT and tag.basis.strip():
            return []
        if tag.kind in (TagKind.NOT_A_FACE, TagKind.BLURRED):
            return []
        return [Reason.UNKNOWN_FACE]

    def is_unrecognisable(self, index: int, reasons: list[Reason]) -> bool:
        """Rule 8: nobody was recognised and nobody could be, at the size published."""
        face = self.face(index)
        if face is None or not reasons or not TOO_POOR_TO_TELL.issuperset(reasons):
            return False
        if isinstance(face.identity, Match):
            return False
        scale = min(1.0, self.channel.max_side / max(self.picture.width, self.picture.height))
        return max(face.box.height, face.box.width) * scale < self.channel.unrecognisable_below_px

    # --- staff ---

    @property
    def approval(self) -> Approval | None:
        """The signed approval for this channel; one without a name or a basis is none."""
        approval = self.staff.approvals.get(self.channel.name)
        signed = approval and approval.by.strip() and approval.basis.strip()
        return approval if signed else None

    def needs_approval(self) -> bool:
        """Whether the machine alone would have held this picture here."""
        alone = replace(self, staff=NO_STAFF_INPUT)
        return bool(self.staff.tags or self.staff.added_faces) or isinstance(alone.verdict(), Hold)

    def needs_second_person(self) -> bool:
        """Rule 11."""
        approval = self.approval
        if not self.channel.four_eyes or approval is None or not self.needs_approval():
            return False
        second = (approval.second_person or "").strip()
        return not second or second == approval.by.strip()

    def basis(self, index: int) -> FaceBasis:
        """Why the person in a cleared face may be shown."""
        tag = self.staff.tags.get(index)
        if tag is not None and self.approval is not None:
            return FaceBasis(index, _TAG_BASIS[tag.kind], tag.pupil)
        if self.is_unrecognisable(index, self.machine_reasons(index)):
            return FaceBasis(index, "unrecognisable")
        return FaceBasis(index, "consent", self.named_pupil(index))


_TAG_BASIS: Mapping[TagKind, str] = {
    TagKind.PUPIL: "tagged",
    TagKind.ADULT_WITH_AGREEMENT: "agreement",
    TagKind.NOT_A_FACE: "not_a_face",
    TagKind.BLURRED: "blurred",
}


def _is_given(pupil: Pupil, purpose: str, today: date) -> bool:
    """Given, begun and not expired. A consent that ends today still holds today."""
    consent = pupil.consents.get(purpose)
    if consent is None or consent.answer is not Answer.GIVEN:
        return False
    begun = consent.given_on is None or consent.given_on <= today
    return begun and (consent.expires_on is None or today <= consent.expires_on)
