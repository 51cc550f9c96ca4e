"""The rules of the gate. This module has all of them.

``decide`` answers one question for each channel: may this picture be released there now? It depends
on its arguments only, changes nothing and never raises an error.

The rules, in the order of the code:

1.  A sealed picture is released nowhere. No other reason is given for it.
2.  A picture that was not examined is held, whatever the cause.
3.  A picture that staff refused for a channel is held in that channel.
4.  If the consent list is too old (a term by default), undated or dated in the future, every
    picture is held. If one kind of consent disappeared in an import, every picture that needs it is
    held until a person says whether that was intended. If that kind is the consent for face
    matching, no match clears a face.
5.  A picture in which no face was found, or none that counts (rule 8), is held unless the
    channel's setting releases such pictures or a member of staff approves it.
6.  A picture from a camera that is not on the school's register is held until a member of staff
    approves it. An entry with a serial number means one camera. An entry without one means every
    camera of the model. The rule is off while the register of cameras is empty.
7.  Each face must be cleared. The machine clears a face only if all of this is true:
    a. the detectors agree that it is a face, and it is clear enough to compare;
    b. it clearly matches one enrolled pupil, and nobody else;
    c. no other face in the picture matches the same pupil (in a film: no other face that is
       shown at the same moment, as a film shows one person in several scenes);
    d. the pupil has consent for face matching and nobody objected to it
       (Protection of Freedoms Act 2012, ss.26-28);
    e. the pupil has no brother or sister in the school without an enrolment photo. Where the
       settings say so, and staff named who was at the event, only those who were there count. A
       brother or sister at the school, or a pupil whom the models confuse with this one, who was
       erased since the last import counts everywhere;
    f. every pupil whom the models confuse with this one may be published in the channel too;
    g. the enrolment photo is recent enough, and somebody who knows the children has confirmed that
       it shows this pupil;
    h. where staff named the classes or pupils at the event (its roll), the pupil is on it;
    i. the pupil is on roll, and consent for the channel's purpose is *given* and not expired.
       A blank is not a yes (UK GDPR);
    j. the match reached the threshold for the whole school. A face below it, nearest to one pupil
       of the whole school by the margin, counts as matched only where staff named the roll of the
       event, the pupil is on it, and the face reached the threshold for as many pupils as are on
       the roll.
8.  A face that is smaller in the published picture than the channel's limit counts as
    unrecognisable and is treated as no face. The limit is 0 by default. The rule never applies
    to a face that matches or resembles an enrolled pupil, nor to a face that staff tagged. Where
    staff cropped the picture, only the crop is published, and sizes are measured in the crop. A
    head wholly outside the crop does not count in a channel with a signed approval. Without an
    approval it counts like any other. A head cut by the crop's edge always counts.
9.  A tag (what staff said about a face) clears the face only together with a signed approval for
    that channel, and only for a pupil with consent, an adult with a stated agreement, something
    that is not a face, or a face that is blurred. Staff cannot name one pupil for two faces. A tag
    that speaks against release or contradicts the machine counts without an approval. A tag about
    a face that is not in this picture holds the picture.
10. A pupil marked "never publish" always holds the picture, whether the machine or staff recognised
    the pupil. This also applies where the face may be one of several pupils, or is cut away.
11. Where a channel needs two people, an approval waits for a second, different person.
12. If an error occurs in this code, the channel is held as not examined.
13. A copy of a picture that staff refused for a channel, or recalled from it by hand, is held in
    that channel until a member of staff approves this copy. So is a picture that shows such a
    picture in part, on a screen or tilted. The copy of a sealed picture is sealed (rule 1). A
    picture that only shows a sealed one is held in every channel until a member of staff approves
    it. The picture and the film of a live photo count as copies of each other. One of them is also
    held in a channel from which the other would be recalled, or in which the gate covers somebody
    in the other (rule 18).
14. A film is judged as its faces are, each of which was followed through the frames of one scene.
    Staff may cut it: only the spans that stay are published. With a signed approval, a face counts
    as cut away (rules 8 and 10) where no frame stays that may show it, nor the judged frame before
    the first or after the last one that may. A face of which one such frame stays counts like any
    other. A cut that does not fit the film, or was made for other frames, holds it. So do a crop of
    a film and a face that staff drew, and rule 8 excuses no face of a film, because the face may be
    larger in another frame. A cover hides a face in all frames; a face that the detector of every
    frame never saw clearly cannot be covered: nobody knows where it is between two searches. A face
    that may be several people can be covered, but not named: the frames may show one after the
    other. An approval counts only where the gate has stored the film
    and its faces for staff to look at. Without that, what staff say can hold a film and not release
    it.
15. Where a class or pupil named for the event is not on the register, every picture of the event is
    held until somebody names the classes again or a member of staff approves the picture.
16. A picture in which the full name of a pupil on the register can be read is held, also where the
    pupil has consent. By the channel's setting, a surname or a forename that can be read near a
    face holds it too, and so does text near a face that could not be read. A picture whose text
    could not be checked, or was not looked for as the channel asks and in the size that the channel
    publishes, is held. The names are those of the day of the examination; if the register gains a
    name, the picture is examined again before it is published. A signed approval for the channel
    overrides this, but not for the full name of a pupil marked "never publish": that name must be
    covered or cut away. The rule is off in a channel whose setting is "off". Of a film, one frame a
    second is read, and each scene's start. There each text counts as near a face, if a face is
    shown.
17. By the channel's settings, a face that would be published larger than a limit holds the picture
    as too recognisable, and so does a face that is not turned away from the camera. Where the
    channel says so, a picture with a larger face is published so small that no face is larger, but
    not with less than 320 pixels on its longer side. A face of which
    the turn is not known, on which the detectors do not agree, or of a film, counts as turned
    towards it. The rule applies whoever is
    shown and whatever consent was given. A signed approval does not override it: the face must be
    covered or cut away, or staff say that it is an adult with an agreement, or not a face.
18. By the channel's setting, a face that is not cleared does not hold the picture: the gate covers
    the whole head, and publishes the picture only if an examination of the covered picture finds
    nobody but those who are cleared. A picture that is held for another reason is covered in the
    same way when staff approve it. All this must be true:
    a. the face was found in a photo by the examination. It is not one that only the finished
       picture shows. Staff did not draw it, did not say that they cannot tell who it is, and do not
       contradict the machine without an approval;
    b. every reason that holds the face is about who it is, what consent was given, or rule 17. The
       other reasons hold the picture: a brother or sister without an enrolment photo, a pupil whom
       the models confuse with somebody who is not cleared, an enrolment photo that is too old or
       not confirmed, a face that was not examined, a pupil who must never be published;
    c. every pupil for whom the machine or staff take the face is on the register;
    d. where it is not certain whose face it is, no pupil marked "never publish" may be shown: the
       school has none, or staff named the roll of the event, and none of them is on it. A roll
       that a restore repeated does not count, nor one of a class in which such a pupil is by now;
    e. at least one other face stays to be seen.
19. By the channel's setting, a film is published with its sound. It is then held until a member of
    staff has listened to each part in which somebody may speak, because names are spoken. A part
    that is muted or cut out needs nobody to listen. Where it is not known whether somebody speaks,
    the whole film is such a part. Staff may publish the film without sound instead. What they
    heard counts only for the frames and the sound that the gate stored for them; what they muted
    stays muted in any other. Sound that could not be
    decoded completely is never published. An approval does not replace listening; where a channel
    needs two people, listening counts only together with an approval. The setting is "off" by
    default: films are silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from math import isfinite

from consent_gate.film.sound import has_sound, unheard_parts
from consent_gate.film.spans import are_spans_of, is_cut_away
from consent_gate.model import (
    BIOMETRIC,
    MINIMUM_ROLL,
    Ambiguous,
    Answer,
    Approval,
    Box,
    ChannelRules,
    DeviceRule,
    Evidence,
    Examined,
    FaceBasis,
    FaceEvidence,
    FaceKind,
    Facing,
    FilmEdit,
    FilmSound,
    Hold,
    KeptSound,
    LargeFaces,
    Match,
    NamePart,
    NearMatch,
    NotExamined,
    NotMatched,
    Pupil,
    Reason,
    Register,
    Release,
    Rules,
    Shown,
    SiblingGuard,
    SoundReview,
    StaffInput,
    Tag,
    TagKind,
    TextCheck,
    Uncleared,
    Verdict,
    VisibleName,
    WhenNoFaces,
)

NO_STAFF_INPUT = StaffInput()

FACE_ON_BELOW = 0.35
"""``Quality.yaw`` below which a face counts as turned towards the camera: about 35 degrees."""

EXEMPT_FROM_RULE_17 = frozenset({TagKind.BLURRED, TagKind.NOT_A_FACE, TagKind.ADULT_WITH_AGREEMENT})

SMALLEST_SIDE = 320
"""Pixels of the longer side below which no picture is made smaller for rule 17."""

TOO_POOR_TO_TELL = frozenset({Reason.LOW_QUALITY_FACE, Reason.UNKNOWN_FACE, Reason.POSSIBLE_FACE})
"""Reasons that rule 8 may ignore: no pupil was recognised."""

LACKS_CONSENT = frozenset(
    {
        Reason.CONSENT_MISSING,
        Reason.CONSENT_REFUSED,
        Reason.CONSENT_EXPIRED,
        Reason.BIOMETRIC_CONSENT_MISSING,
        Reason.TOO_RECOGNISABLE,
    }
)
"""Rule 18: reasons that say nothing against the machine's answer whose face it is."""

ANSWERED_BY_A_COVER = LACKS_CONSENT | {
    Reason.UNKNOWN_FACE,
    Reason.AMBIGUOUS_MATCH,
    Reason.LOW_QUALITY_FACE,
    Reason.POSSIBLE_FACE,
    Reason.SAME_PUPIL_TWICE,
    Reason.NOT_AT_EVENT,
}
"""Rule 18: reasons of a face that the gate may cover instead of holding the picture. None of them
is in ``HOLDS_NEW_ONLY``: what only stops new pictures must not cover faces that are out."""

TO_BE_SEEN = frozenset({"consent", "tagged", "agreement"})
"""Rule 18: bases of faces that stay to be seen."""

HOLDS_NEW_ONLY = frozenset(
    {
        Reason.REGISTER_STALE,
        Reason.ENROLMENT_TOO_OLD,
        Reason.ENROLMENT_UNCONFIRMED,
        Reason.SIBLING_GUARD,
        Reason.UNREGISTERED_DEVICE,
        Reason.NO_FACES_FOUND,
        Reason.AWAITING_SECOND_PERSON,
        Reason.EVENT_ROLL_UNCLEAR,
        Reason.TEXT_NOT_READ,
        Reason.NOT_LISTENED,
    }
)
"""Reasons that stop a new release but do not recall a published picture: nobody in it has lost
consent. Every other reason recalls it (docs/adr/0002-recall.md)."""


def decide(
    evidence: Evidence,
    register: Register,
    rules: Rules,
    now: datetime,
    staff: StaffInput = NO_STAFF_INPUT,
) -> dict[str, Verdict]:
    """Return the verdict for every channel, by its name. Never raises an error (rule 12).

    ``now`` is the local time of the school. A caller must treat a channel that is missing from the
    result as held.
    """
    verdicts: dict[str, Verdict] = {}
    for channel in _readable_channels(rules):
        verdict = _verdict_or_hold(_Case(evidence, register, rules, now, staff, channel))
        duplicate = channel.name in verdicts  # it is unclear which of the two settings applies
        verdicts[channel.name] = Hold((Reason.NOT_EXAMINED,)) if duplicate else verdict
    return verdicts


def must_recall(verdict: Verdict) -> bool:
    """Whether a published picture must be recalled from the channel, given today's verdict."""
    return isinstance(verdict, Hold) and not HOLDS_NEW_ONLY.issuperset(verdict.reasons)


def is_registered(device: str | None, register: Collection[str]) -> bool:
    """Rule 6: whether a camera is on the register.

    ``device`` and the entries of ``register`` have the form ``make|model|serial``. Upper and lower
    case are equal. An entry with an empty serial stands for every camera of the model.
    """
    if device is None:
        return False
    entries = {entry.casefold() for entry in register}
    camera = device.casefold()
    return camera in entries or camera[: camera.rfind("|") + 1] in entries


def is_hidden(box: Box, picture: Examined, staff: StaffInput) -> bool:
    """Rule 16: whether a part of the picture is cut away, or lies wholly under one cover.

    False for a film: a cover follows its face, so the part is seen in another frame.
    """
    if picture.film is not None:
        return False
    if staff.crop is not None and box.is_apart_from(staff.crop):
        return True
    boxes = [*(face.box for face in picture.faces), *staff.added_faces]
    covers = (i for i, tag in staff.tags.items() if tag.kind is TagKind.BLURRED)
    return any(boxes[i].encloses(box) for i in covers if i in range(len(boxes)))


def smaller_side(
    picture: Examined, staff: StaffInput, channel: ChannelRules, covered: Collection[int] = ()
) -> int | None:
    """Rule 17: the longest side, in pixels, at which no face is larger than the channel's limit.

    Faces that the gate covers (``covered``, by index) do not count. Faces that staff excused count
    only where ``decide`` does not believe the excuse, and then hold the picture. None where the
    picture keeps the channel's size: because no face is too large at it, because the channel holds
    such pictures, or because the picture would be too small.
    """
    limit, shown = channel.largest_face_px, staff.crop or picture
    if channel.large_faces is not LargeFaces.SMALLER or limit <= 0 or picture.film is not None:
        return None
    largest = 0
    for index, box in enumerate([*(face.box for face in picture.faces), *staff.added_faces]):
        tag = staff.tags.get(index)
        excused = tag is not None and tag.kind in EXEMPT_FROM_RULE_17
        head = box.with_margin()
        cut_away = staff.crop is not None and head.is_apart_from(staff.crop)
        if not (excused or cut_away or index in covered):
            largest = max(largest, box.width, box.height)
    long_side = max(shown.width, shown.height)
    if largest <= 0 or largest * min(channel.max_side, long_side) <= limit * long_side:
        return None
    side = limit * long_side // largest
    return side if side >= SMALLEST_SIDE else None


def published_sound(
    picture: Examined, staff: StaffInput, channel: ChannelRules
) -> KeptSound | None:
    """Rule 19: the sound with which a film is published in the channel; None for a silent film."""
    film = picture.film
    if film is None or channel.film_sound is not FilmSound.REVIEWED or film.sound is None:
        return None
    review = sound_review(picture, staff)
    if review.is_off is not False or not film.sound.sha256:
        return None
    kept = staff.film_edit.kept if staff.film_edit is not None else None
    if unheard_parts(film, review, kept):
        return None
    if unheard_parts(film, replace(review, heard=()), kept):  # somebody had to listen
        needs_approval = channel.four_eyes is not False
        if film.is_viewable is not True or (needs_approval and not _is_signed(staff, channel)):
            return None
    return KeptSound(film.sound.sha256, review.muted)


def _is_signed(staff: StaffInput, channel: ChannelRules) -> bool:
    """Whether staff approve the channel with a name and a basis."""
    approval = staff.approvals.get(channel.name)
    return bool(approval and approval.actor.strip() and approval.basis.strip())


def sound_review(picture: Examined, staff: StaffInput) -> SoundReview:
    """Rule 19: what staff said about the sound of this film.

    Of other frames or another sound nothing was heard, but what was muted stays muted.
    """
    film, review = picture.film, staff.sound_review
    heard = film.sound.sha256 if film is not None and film.sound is not None else ""
    digests = picture.pixels_sha256, heard
    if film is None or review is None:
        return SoundReview(*digests)
    if (review.frames_sha256, review.sound_sha256) == digests:
        return review
    return SoundReview(*digests, is_off=review.is_off, muted=review.muted)


def _readable_channels(rules: Rules) -> list[ChannelRules]:
    """Rule 12: the channels of ``rules``, without values of a wrong type."""
    channels = rules.channels if isinstance(rules, Rules) else ()
    listed = channels if isinstance(channels, tuple | list) else ()
    return [c for c in listed if isinstance(c, ChannelRules) and isinstance(c.name, str)]


def _verdict_or_hold(case: _Case) -> Verdict:
    try:
        return case.verdict()
    except Exception:  # noqa: BLE001  rule 12: no exception path ends in a release
        return Hold((Reason.NOT_EXAMINED,))


@dataclass(frozen=True)
class _Case:
    """One picture and one channel to decide on."""

    evidence: Evidence
    register: Register
    rules: Rules
    now: datetime
    staff: StaffInput
    channel: ChannelRules

    def verdict(self) -> Verdict:
        """Apply all rules in order."""
        if self.staff.sealed is not False:
            return Hold((Reason.SEALED,))
        if isinstance(self.evidence, NotExamined):
            return Hold((_known_reason(self.evidence.reason),))
        by_face = self.reasons_by_face()
        covered = self.covered_by_gate(by_face)
        if not covered and self.channel.uncleared is Uncleared.COVER:
            by_face = self.reasons_by_face(may_cover=False)
        held = {i: tuple(found) for i, found in by_face.items() if found and i not in covered}
        reasons = [*self.picture_reasons(), *(r for found in held.values() for r in found)]
        if not reasons and self.needs_second_person():
            reasons.append(Reason.AWAITING_SECOND_PERSON)  # rule 11
        if reasons:
            return Hold(tuple(dict.fromkeys(reasons)), held, covered)
        faces = range(self.face_count)
        basis = tuple(FaceBasis(i, "covered") if i in covered else self.basis(i) for i in faces)
        approval = self.approval
        actor = approval.actor if approval and self.needs_approval() else None
        return Release(basis, actor, covered)

    # --- the picture as a whole ---

    def picture_reasons(self) -> list[Reason]:
        """Rules 3 to 6, 8, 9, 13, 15, 16 and 19: why the picture as a whole is held."""
        reasons = []
        if self.channel.name in self.staff.refused:
            reasons.append(Reason.REFUSED_BY_STAFF)
        if self.register_is_stale() or self.channel.purpose in self.register.suspended:
            reasons.append(Reason.REGISTER_STALE)
        if not self.tags_fit():
            reasons.append(Reason.UNKNOWN_FACE)
        if not self.crop_fits():
            reasons.append(Reason.NOT_EXAMINED)
        if not self.edit_fits():
            reasons.append(Reason.NOT_EXAMINED)
        if self.is_not_listened():
            reasons.append(Reason.NOT_LISTENED)
        if self.approval is None:
            reasons.extend(self.reasons_staff_may_override())
        elif any(self.is_forbidden(name) for name in self.picture.names):
            reasons.append(Reason.VISIBLE_NAME)
        return reasons

    def tags_fit(self) -> bool:
        """Rule 9: whether each tag is about a face of this picture."""
        faces = range(self.face_count)
        return all(i in faces and isinstance(t, Tag) for i, t in self.staff.tags.items())

    def crop_fits(self) -> bool:
        """Rule 8: whether the crop is a part of this picture."""
        crop, picture = self.staff.crop, self.picture
        if crop is None:
            return True
        if picture.film is not None:
            return False  # rule 14
        if not isinstance(crop, Box) or not (crop.width > 0 and crop.height > 0):
            return False
        across, down = crop.x + crop.width, crop.y + crop.height
        return 0 <= crop.x < across <= picture.width and 0 <= crop.y < down <= picture.height

    def edit_fits(self) -> bool:
        """Rule 14: whether the cuts of staff were made for this film, and lie within it."""
        edit, film = self.staff.film_edit, self.picture.film
        if edit is None:
            return True
        if film is None or not isinstance(edit, FilmEdit):
            return False
        if edit.frames_sha256 != self.picture.pixels_sha256:
            return False
        return are_spans_of(edit.kept, film.seconds)

    def is_not_listened(self) -> bool:
        """Rule 19: whether the film waits for somebody who listens, or says "without sound"."""
        film, channel = self.picture.film, self.channel
        if film is None or channel.film_sound is FilmSound.OFF or not has_sound(film):
            return False
        if sound_review(self.picture, self.staff).is_off is True:
            return False
        return published_sound(self.picture, self.staff, channel) is None

    def reasons_staff_may_override(self) -> list[Reason]:
        """Rules 5, 6, 13, 15 and 16: reasons that hold the picture until a person approves it."""
        reasons = []
        faces = range(self.face_count)
        no_faces = all(self.is_unrecognisable(i) or self.is_outside(i) for i in faces)
        if no_faces and self.channel.when_no_faces is not WhenNoFaces.RELEASE:
            reasons.append(Reason.NO_FACES_FOUND)
        registered = self.rules.registered_devices
        checked = registered and self.rules.devices not in (DeviceRule.WARN, DeviceRule.OFF)
        if checked and not is_registered(self.picture.device, registered):
            reasons.append(Reason.UNREGISTERED_DEVICE)
        if self.is_seen_before():
            reasons.append(Reason.SEEN_BEFORE)
        if self.staff.roll_unclear is not False:
            reasons.append(Reason.EVENT_ROLL_UNCLEAR)
        reasons.extend(self.text_reasons())
        return reasons

    def text_reasons(self) -> list[Reason]:
        """Rule 16: why the text in the picture holds it."""
        picture, wanted = self.picture, self.channel.text_marks
        reasons = []
        if any(name.part in self.channel.visible_names.parts for name in picture.names):
            reasons.append(Reason.VISIBLE_NAME)
        if self.channel.unread_text and any(m.part is NamePart.UNREAD for m in picture.names):
            reasons.append(Reason.UNREAD_TEXT)
        if not wanted:
            return reasons
        published = self.published_side_of_whole()
        if picture.text_check is TextCheck.OFF:
            reasons.append(Reason.TEXT_NOT_READ)
        elif picture.text_check is not TextCheck.COMPARED:
            reasons.append(Reason.NOT_EXAMINED)
        elif not wanted.issubset(picture.looked_for) or not picture.text_side >= published:
            reasons.append(Reason.TEXT_NOT_READ)
        return reasons

    def published_side_of_whole(self) -> float:
        """Rule 16: the longer side, in pixels, that the whole picture would have at the scale at
        which its crop is published."""
        shown = self.staff.crop or self.picture
        long_side = max(shown.width, shown.height)
        whole = max(self.picture.width, self.picture.height)
        return whole * min(self.channel.max_side, long_side) / long_side

    def is_forbidden(self, name: VisibleName) -> bool:
        """Rule 16: whether an approval does not clear this name, because it is still to be read and
        its pupil must never be published."""
        if name.part is not NamePart.FULL or name.pupil is None:
            return False
        if NamePart.FULL not in self.channel.visible_names.parts:
            return False
        pupil = self.pupil(name.pupil)
        if pupil is not None and pupil.never_publish is False:
            return False  # of a pupil who left the register, nobody knows
        return not is_hidden(name.box, self.picture, self.staff)

    def is_seen_before(self) -> bool:
        """Rule 13: whether staff closed an earlier copy of this picture in the channel, or it shows
        a sealed one."""
        return self.staff.shows_sealed or self.channel.name in self.staff.seen_before

    def register_is_stale(self) -> bool:
        """Rule 4: whether the consent list is too old, undated or dated in the future."""
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
        """The evidence after rule 2. Another type raises an error, so rule 12 holds the picture."""
        if not isinstance(self.evidence, Examined):
            raise TypeError("not an examined picture")
        return self.evidence

    @property
    def face_count(self) -> int:
        return len(self.picture.faces) + len(self.staff.added_faces)

    def face(self, index: int) -> FaceEvidence | None:
        """The evidence of a face; None for a face that staff drew."""
        return self.picture.faces[index] if index < len(self.picture.faces) else None

    def box(self, index: int) -> Box:
        """The box of a face that was detected or drawn by staff."""
        face = self.face(index)
        return face.box if face else self.staff.added_faces[index - len(self.picture.faces)]

    def reasons_by_face(self, *, may_cover: bool = True) -> dict[int, list[Reason]]:
        """Rules 7 to 10 and 17: why each face holds the picture; empty lists for cleared faces.

        ``may_cover`` leaves faces that the gate would cover out of the size of the largest face.
        """
        faces = range(self.face_count)
        uncleared = {i: self.shown_reasons(i) for i in faces}
        hidden = [i for i in faces if may_cover and self.may_be_covered(i, uncleared[i])]
        return {i: [*uncleared[i], *self.recognisable_reasons(i, hidden)] for i in faces}

    def shown_reasons(self, index: int) -> list[Reason]:
        """Rules 7 to 10: why this face may not be shown, whatever its size."""
        if self.is_cut_away(index):
            return self.cut_away_reasons(index)
        return self.clearance_reasons(index)

    def recognisable_reasons(self, index: int, covered: Collection[int]) -> list[Reason]:
        """Rule 17: why this face may not be shown although it is cleared."""
        if self.is_cut_away(index) or not self.is_too_recognisable(index, covered):
            return []
        return [Reason.TOO_RECOGNISABLE]

    def covered_by_gate(self, by_face: Mapping[int, list[Reason]]) -> dict[int, tuple[Reason, ...]]:
        """Rule 18: the faces that the gate covers, each with its reasons."""
        covered = {
            i: tuple(reasons) for i, reasons in by_face.items() if self.may_be_covered(i, reasons)
        }
        others = (i for i in by_face if i not in covered and not self.is_outside(i))
        is_seen = any(by_face[i] or self.basis(i).basis in TO_BE_SEEN for i in others)
        return covered if is_seen else {}

    def may_be_covered(self, index: int, reasons: Collection[Reason]) -> bool:
        """Rule 18a to d: whether the gate may cover this face instead of holding the picture."""
        face, tag = self.face(index), self.staff.tags.get(index)
        if self.channel.uncleared is not Uncleared.COVER or not reasons:
            return False
        if face is None or face.in_rendition or self.picture.film is not None:
            return False  # rule 18a
        if tag is not None and tag.kind is TagKind.CANNOT_TELL:
            return False  # rule 18a
        if self.is_contradicted(index):
            return False  # rule 18a
        if not ANSWERED_BY_A_COVER.issuperset(reasons):
            return False
        is_certain = self.named_pupil(index) is not None and LACKS_CONSENT.issuperset(reasons)
        if Reason.AMBIGUOUS_MATCH in reasons and not isinstance(face.identity, Ambiguous):
            return False  # a lookalike, or staff contradict the machine
        if any(self.pupil(number) is None for number in self.candidates(index)):
            return False
        return is_certain or not self.may_show_never_publish()

    def candidates(self, index: int) -> frozenset[str]:
        """Rule 18c: everybody for whom the machine or staff take a face."""
        tag, face = self.staff.tags.get(index), self.face(index)
        named = {tag.pupil} if tag is not None and tag.pupil is not None else set()
        match face.identity if face else None:
            case Match(pupil=pupil) | NearMatch(pupil=pupil):
                named.add(pupil)
            case Ambiguous(pupils=pupils):
                named.update(pupils)
        return frozenset(named)

    def may_show_never_publish(self) -> bool:
        """Rule 18d: whether a pupil marked "never publish" may be in the picture unrecognised."""
        pupils = self.register.pupils.items()
        marked = {number for number, pupil in pupils if pupil.never_publish is not False}
        marked |= self.register.never_published
        if self.staff.roll_is_whole is not True:
            return bool(marked)
        return any(self.is_at_event(number) for number in marked)

    def clearance_reasons(self, index: int) -> list[Reason]:
        """Rules 7 to 10: why it is not cleared that this face is shown."""
        if self.is_unrecognisable(index):
            return []
        by_machine = self.machine_reasons(index)
        tag = self.staff.tags.get(index)
        if tag is None:
            return by_machine
        by_tag = self.tag_reasons(index, tag)
        if self.approval is not None and tag.kind is not TagKind.CANNOT_TELL:
            by_machine = [r for r in by_machine if r is Reason.NEVER_PUBLISH]
        elif not (by_machine or by_tag) and self.is_contradicted(index):
            return [Reason.AMBIGUOUS_MATCH]
        return list(dict.fromkeys([*by_machine, *by_tag]))

    def is_contradicted(self, index: int) -> bool:
        """Rule 9: whether staff contradict the machine's match without an approval."""
        if index not in self.staff.tags or self.approval is not None:
            return False
        return self.matched_pupil(index) not in {None, self.named_pupil(index)}

    def machine_reasons(self, index: int) -> list[Reason]:
        """Rule 7: why the machine alone does not clear this face."""
        face = self.face(index)
        if face is None:
            return [Reason.UNKNOWN_FACE]
        reasons: list[Reason] = []
        if face.kind is not FaceKind.FACE:
            reasons.append(Reason.POSSIBLE_FACE)
        match face.identity:
            case Match() as match:
                reasons.extend(self.match_reasons(index, match))
            case NearMatch() as near:
                reasons.extend(self.near_match_reasons(index, near))
            case Ambiguous(pupils=candidates):
                reasons.append(Reason.AMBIGUOUS_MATCH)
                reasons.extend(r for number in candidates for r in self.never_publish(number))
            case NotMatched(reason=reason):
                reasons.append(_known_reason(reason))
            case _:
                reasons.append(Reason.UNKNOWN_FACE)
        return reasons

    def near_match_reasons(self, index: int, near: NearMatch) -> list[Reason]:
        """Rule 7j: why a face below the threshold for the whole school is not cleared."""
        if self.counts_on_roll(near):
            return self.match_reasons(index, near)
        elsewhere = self.reaches_roll_threshold(near) and not self.is_at_event(near.pupil)
        reason = Reason.NOT_AT_EVENT if elsewhere else Reason.UNKNOWN_FACE
        return [reason, *self.never_publish(near.pupil)]

    def counts_on_roll(self, near: NearMatch) -> bool:
        """Rule 7j: whether a face counts as matched to a pupil on the roll of the event."""
        return self.reaches_roll_threshold(near) and self.is_at_event(near.pupil)

    def reaches_roll_threshold(self, near: NearMatch) -> bool:
        """Rule 7j: whether a face reaches the threshold for the roll; False without a roll."""
        roll = self.staff.roster
        if roll is None or self.staff.roll_threshold is not True:
            return False
        return near.roll_size >= max(len(roll), MINIMUM_ROLL)

    def is_at_event(self, admission_number: str) -> bool:
        """Rule 7h: whether the pupil may have been at the event."""
        return self.staff.roster is None or admission_number in self.staff.roster

    def match_reasons(self, index: int, match: Match | NearMatch) -> list[Reason]:
        """Rules 4 and 7b to 7i for a face matched to one pupil."""
        pupil = self.pupil(match.pupil)
        if pupil is None:
            return [Reason.CONSENT_MISSING]
        reasons = self.naming_reasons(index, pupil)
        if not (isfinite(match.distance) and match.margin > 0):
            reasons.append(Reason.AMBIGUOUS_MATCH)
        objected = pupil.biometric_objection is not False
        if objected or not _is_given(pupil, BIOMETRIC, self.today):
            reasons.append(Reason.BIOMETRIC_CONSENT_MISSING)
        if BIOMETRIC in self.register.suspended:
            reasons.append(Reason.REGISTER_STALE)  # rule 4
        if self.may_be_sibling(pupil):
            reasons.append(Reason.SIBLING_GUARD)
        if any(not self.is_cleared(other) for other in pupil.lookalikes):
            reasons.append(Reason.AMBIGUOUS_MATCH)
        if self.enrolment_is_too_old(pupil):
            reasons.append(Reason.ENROLMENT_TOO_OLD)
        if pupil.enrolled_on is not None and pupil.enrolment_confirmed is not True:
            reasons.append(Reason.ENROLMENT_UNCONFIRMED)
        if not self.is_at_event(match.pupil):
            reasons.append(Reason.NOT_AT_EVENT)
        return reasons

    def may_be_sibling(self, pupil: Pupil) -> bool:
        """Rule 7e: whether a brother or sister without an enrolment photo may be shown instead."""
        roll, siblings = self.staff.roster, pupil.unenrolled_siblings
        if pupil.has_unenrolled_sibling is False:
            return False
        if self.rules.sibling_guard is not SiblingGuard.ROLL or roll is None or not siblings:
            return True
        return not roll.isdisjoint(siblings)

    def naming_reasons(self, index: int, pupil: Pupil) -> list[Reason]:
        """Rules 7c, 7i and 10: why a face that the machine or staff named is held."""
        reasons = self.consent_reasons(pupil)
        if self.times_shown(index, pupil.admission_number) > 1:
            reasons.append(Reason.SAME_PUPIL_TWICE)
        return reasons

    def times_shown(self, index: int, admission_number: str) -> int:
        """Rule 7c: how many faces are named as this pupil, with this face and with tags."""
        others = Counter(
            self.named_pupil(i)
            for i in range(self.face_count)
            if i != index and self.may_be_together(i, index)
        )
        return 1 + others[admission_number]

    def may_be_together(self, first: int, second: int) -> bool:
        """Rule 7c: whether two faces may be in one frame; always in a picture."""
        spans = [face.shown if (face := self.face(i)) else None for i in (first, second)]
        if spans[0] is None or spans[1] is None:
            return True
        return spans[0].shares_moment_with(spans[1])

    def named_pupil(self, index: int) -> str | None:
        """The admission number that staff, or else the machine, gave a face; None for nobody."""
        tag = self.staff.tags.get(index)
        if tag is not None:
            return tag.pupil if tag.kind is TagKind.PUPIL else None
        return self.matched_pupil(index)

    def matched_pupil(self, index: int) -> str | None:
        """The admission number that the machine matched a face to; None for nobody."""
        match face.identity if (face := self.face(index)) else None:
            case Match(pupil=pupil):
                return pupil
            case NearMatch(pupil=pupil) as near if self.counts_on_roll(near):
                return pupil
        return None

    def pupil(self, admission_number: str | None) -> Pupil | None:
        """The pupil on the register; None if absent. An entry under a wrong number is an error."""
        pupil = self.register.pupils.get(admission_number) if admission_number else None
        if pupil is not None and pupil.admission_number != admission_number:
            raise ValueError("the register contradicts itself")
        return pupil

    def is_cleared(self, admission_number: str) -> bool:
        """Rule 7f: whether a lookalike may be published in this channel too."""
        pupil = self.pupil(admission_number)
        return pupil is not None and not self.consent_reasons(pupil)

    def enrolment_is_too_old(self, pupil: Pupil) -> bool:
        """Rule 7g: whether the enrolment photo is missing, too old or dated in the future."""
        if pupil.enrolled_on is None:
            return True
        age = (self.today - pupil.enrolled_on).days
        return not 0 <= age <= self.rules.enrolment_max_age_days

    def consent_reasons(self, pupil: Pupil) -> list[Reason]:
        """Rules 7i and 10: why the pupil's entry on the register does not allow this channel."""
        reasons = self.never_publish(pupil.admission_number)
        consent = pupil.consents.get(self.channel.purpose)
        left = pupil.on_roll is not True
        if consent is None or left or consent.answer is Answer.NOT_STATED:
            reasons.append(Reason.CONSENT_MISSING)
        elif consent.answer is not Answer.GIVEN:
            reasons.append(Reason.CONSENT_REFUSED)
        elif not _is_given(pupil, self.channel.purpose, self.today):
            reasons.append(Reason.CONSENT_EXPIRED)
        return reasons

    def never_publish(self, admission_number: str | None) -> list[Reason]:
        """Rule 10: the reason if the pupil is marked. Any value but ``False`` counts as marked."""
        pupil = self.pupil(admission_number)
        return [Reason.NEVER_PUBLISH] if pupil and pupil.never_publish is not False else []

    def tag_reasons(self, index: int, tag: Tag) -> list[Reason]:
        """Rules 9 and 14: why a tag does not clear its face."""
        face, is_cover = self.face(index), tag.kind is TagKind.BLURRED
        if self.picture.film is not None and (face is None or is_cover):  # rule 14
            if face is None or not _can_be_covered(face.shown):
                return [*self.never_publish(tag.pupil), Reason.UNKNOWN_FACE]
        elif self.picture.film is not None and self.may_be_several(index):
            return [*self.never_publish(tag.pupil), Reason.AMBIGUOUS_MATCH]  # rule 14
        if tag.kind is TagKind.PUPIL:
            pupil = self.pupil(tag.pupil)
            return self.naming_reasons(index, pupil) if pupil else [Reason.CONSENT_MISSING]
        if tag.kind is TagKind.BLURRED:
            return self.never_publish(tag.pupil)
        agreed = tag.kind is TagKind.ADULT_WITH_AGREEMENT and tag.basis.strip()
        if tag.pupil is None and (agreed or tag.kind is TagKind.NOT_A_FACE):
            return []
        return [Reason.UNKNOWN_FACE, *self.never_publish(tag.pupil)]

    def may_be_several(self, index: int) -> bool:
        """Rule 14: whether a track of a film may show more than one person."""
        face = self.face(index)
        return face is not None and isinstance(face.identity, Ambiguous)

    def is_cut_away(self, index: int) -> bool:
        """Rules 8 and 14: whether a signed approval covers a crop or cut that leaves out this whole
        head."""
        return self.approval is not None and self.is_outside(index)

    def is_outside(self, index: int) -> bool:
        """Rules 8 and 14: whether the head lies wholly outside the crop, or outside what stays of a
        film."""
        face, edit = self.face(index), self.staff.film_edit
        if self.picture.film is not None and edit is not None:
            return bool(face and face.shown and is_cut_away(face.shown, edit.kept))
        if self.staff.crop is None:
            return False
        box, whole = self.box(index), Box(0, 0, self.picture.width, self.picture.height)
        if not (box.width > 0 and box.height > 0) or box.is_apart_from(whole):
            return False  # an impossible box never leaves a face out
        return box.with_margin().is_apart_from(self.staff.crop)

    def cut_away_reasons(self, index: int) -> list[Reason]:
        """Rule 10 for a head that is cut away, whether the machine or staff named the pupil."""
        tag = self.staff.tags.get(index)
        found = [*self.machine_reasons(index), *(self.never_publish(tag.pupil) if tag else ())]
        return [Reason.NEVER_PUBLISH] if Reason.NEVER_PUBLISH in found else []

    def is_unrecognisable(self, index: int) -> bool:
        """Rule 8: whether a face without a match is too small to recognise when published."""
        face = self.face(index)
        if face is None or index in self.staff.tags:
            return False
        if isinstance(face.identity, Match | NearMatch):
            return False
        if self.picture.film is not None:
            return False  # rule 14
        published = self.published_px(index, self.channel.max_side)
        small = published is not None and published < self.channel.unrecognisable_below_px
        return small and TOO_POOR_TO_TELL.issuperset(self.machine_reasons(index))

    def published_px(self, index: int, side: int) -> float | None:
        """Longer side of a face, in pixels, in a picture of at most ``side`` pixels; None for
        impossible sizes."""
        shown, box = self.staff.crop or self.picture, self.box(index)
        long_side = max(shown.width, shown.height)
        if not all(size > 0 for size in (box.width, box.height, long_side, side)):
            return None
        return max(box.width, box.height) * min(side, long_side) / long_side

    def is_too_recognisable(self, index: int, covered: Collection[int]) -> bool:
        """Rule 17: whether this face may not be shown as large or as clearly as it would be."""
        tag, channel = self.staff.tags.get(index), self.channel
        if self.approval is not None and tag is not None and tag.kind in EXEMPT_FROM_RULE_17:
            return False
        if channel.facing is not Facing.ANY and not self.is_turned_away(index):
            return True
        if channel.largest_face_px == 0:
            return False
        side = smaller_side(self.picture, self.staff, channel, covered) or channel.max_side
        is_film = self.picture.film is not None
        size = self.published_film_px(index) if is_film else self.published_px(index, side)
        return size is None or not size <= channel.largest_face_px

    def is_turned_away(self, index: int) -> bool:
        """Rule 17: whether it is known that this face is not turned towards the camera."""
        face = self.face(index)
        if face is None or face.quality is None or self.picture.film is not None:
            return False
        is_known = face.kind is FaceKind.FACE and isfinite(face.quality.yaw)
        return is_known and face.quality.yaw >= FACE_ON_BELOW

    def published_film_px(self, index: int) -> float | None:
        """Longer side of a face of a film where it is largest, as for ``published_px``."""
        face, long_side = self.face(index), max(self.picture.width, self.picture.height)
        if face is None or face.shown is None or not face.shown.path or not long_side > 0:
            return None
        sides = (max(width, height) for _, _, _, width, height in face.shown.path)
        return max(sides) * min(1, self.channel.max_side / long_side)

    # --- staff ---

    @property
    def approval(self) -> Approval | None:
        """The approval for this channel; None if its name or its basis is empty, or for a film that
        staff could not see."""
        film = self.picture.film
        if film is not None and film.is_viewable is not True:
            return None  # rule 14
        is_signed = _is_signed(self.staff, self.channel)
        return self.staff.approvals[self.channel.name] if is_signed else None

    def needs_approval(self) -> bool:
        """Whether the machine alone would have held this picture in this channel."""
        machine_only = replace(self, staff=NO_STAFF_INPUT)
        is_cut = self.staff.crop is not None or self.staff.film_edit is not None
        has_input = self.staff.tags or self.staff.added_faces or is_cut
        return bool(has_input) or self.is_seen_before() or isinstance(machine_only.verdict(), Hold)

    def needs_second_person(self) -> bool:
        """Rule 11: whether the approval still waits for a second, different person."""
        approval = self.approval
        if self.channel.four_eyes is False or approval is None or not self.needs_approval():
            return False
        second = (approval.second_person or "").strip().casefold()
        return not second or second == approval.actor.strip().casefold()

    def basis(self, index: int) -> FaceBasis:
        """Why the person with this cleared face may be shown."""
        tag = self.staff.tags.get(index)
        if self.is_cut_away(index):
            return FaceBasis(index, "cut_away")
        if tag is not None and self.approval is not None:
            return FaceBasis(index, _TAG_BASIS[tag.kind], tag.pupil)
        if self.is_unrecognisable(index):
            return FaceBasis(index, "unrecognisable")
        return FaceBasis(index, "consent", self.named_pupil(index))


_TAG_BASIS: Mapping[TagKind, str] = {
    TagKind.PUPIL: "tagged",
    TagKind.ADULT_WITH_AGREEMENT: "agreement",
    TagKind.NOT_A_FACE: "not_a_face",
    TagKind.BLURRED: "blurred",
}


def _can_be_covered(shown: Shown | None) -> bool:
    """Rule 14: whether it is known where a face of a film is in each frame that shows it."""
    if shown is None or shown.is_followed is not True or not shown.path:
        return False
    times = [point[0] for point in shown.path]
    in_order = all(earlier < later for earlier, later in pairwise(times))
    return in_order and times[0] <= shown.from_s and times[-1] >= shown.to_s


def _known_reason(reason: Reason) -> Reason:
    """``reason``, or ``not_examined`` where it has a wrong type."""
    return reason if isinstance(reason, Reason) else Reason.NOT_EXAMINED


def _is_given(pupil: Pupil, purpose: str, today: date) -> bool:
    """Whether the consent is given, has begun and has not expired; it counts on its last day."""
    consent = pupil.consents.get(purpose)
    if consent is None or consent.answer is not Answer.GIVEN:
        return False
    begun = consent.given_on is None or consent.given_on <= today
    return begun and (consent.expires_on is None or today <= consent.expires_on)
