"""Pupils, their consents, and the templates of those who may have one."""

from django.db import models

from consent_gate.model import Answer


class ImportRun(models.Model):
    """One export that was looked at, and what became of it."""

    class Status(models.TextChoices):
        APPLIED = "applied"
        BLOCKED = "blocked"
        QUEUED = "queued"
        """Photos that came through the browser and wait for the gate to look at them."""

    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    exported_on = models.DateField(null=True)
    status = models.CharField(max_length=12, choices=Status)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    accepted = models.JSONField(default=list)
    """Codes of the brakes that a person accepted."""
    mapping = models.TextField(blank=True)
    """What the export's captions were taken to mean, as TOML: the mapping, version by version."""
    summary = models.JSONField(default=dict)
    """The contract's report: admission numbers and counts."""
    complete = models.BooleanField(default=True)
    """Whether the export spoke for the whole school: only such a one makes the register fresh."""
    undone_by = models.CharField(max_length=150, blank=True)
    """Who took its grants back."""
    undone_at = models.DateTimeField(null=True)


class PupilEntry(models.Model):
    """One child on the register, as the last import left them."""

    admission_number = models.CharField(max_length=32, unique=True)
    """As SIMS exported it, padded."""
    upn = models.CharField(max_length=13, blank=True)
    forename = models.CharField(max_length=100, blank=True)
    surname = models.CharField(max_length=100, blank=True)
    preferred_forename = models.CharField(max_length=100, blank=True)
    preferred_surname = models.CharField(max_length=100, blank=True)
    date_of_birth = models.DateField(null=True)
    reg_group = models.CharField(max_length=40, blank=True)
    year_group = models.CharField(max_length=40, blank=True)
    family_key = models.CharField(max_length=200, blank=True, db_index=True)
    address_key = models.CharField(max_length=64, blank=True)
    """Digest of surname and address: siblings where SIMS gives no family key."""
    family_group = models.CharField(max_length=32, blank=True, db_index=True)
    """Same for all brothers and sisters on the register; worked out after every import."""
    never_publish = models.BooleanField(default=False)
    biometric_objection = models.BooleanField(default=False)
    on_roll = models.BooleanField(default=True)
    former_numbers = models.JSONField(default=list)
    """Admission numbers this pupil had before: older pictures speak of the pupil by them."""
    last_import = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)


class ConsentAnswer(models.Model):
    """What was answered for one purpose. No row means: not stated."""

    pupil = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=40)
    answer = models.CharField(max_length=10, choices=[(a.value, a.value) for a in Answer])
    given_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    source = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pupil", "purpose"], name="one_answer_per_purpose")
        ]


class PupilChange(models.Model):
    """What one import changed about one pupil: the history of consents, and the way to undo."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="changes")
    pupil = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="history")
    changes = models.JSONField()
    """In order: ``{"kind", "subject", "before", "after"}``, as ``sims_import.applying.history``
    reads it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "pupil"], name="one_history_row_per_import")
        ]


class SentReminder(models.Model):
    """A message that was mailed, so that nobody gets the same one every day."""

    code = models.CharField(max_length=120, unique=True)
    """What it was about, e.g. ``register-ages:2026-09-04``."""
    sent_at = models.DateTimeField()


class SuspendedPurpose(models.Model):
    """A kind of consent that vanished in a way that looks like an accident."""

    purpose = models.CharField(max_length=40, unique=True)
    since = models.DateTimeField()
    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)


class EnrolmentPhoto(models.Model):
    """A photo from which templates were made. The photo itself is not kept.

    It was imported, or it is one face of a picture that staff named: then it goes when that
    picture, or what staff said of the face, goes.
    """

    pupil = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="photos")
    sha256 = models.CharField(max_length=64)
    taken_on = models.DateField(null=True)
    """None when nobody knows: the age then counts from ``first_imported_on``."""
    first_imported_on = models.DateField()
    item = models.ForeignKey("Item", null=True, on_delete=models.CASCADE, related_name="enrolments")
    """The picture, where the face came from one."""
    face = models.PositiveSmallIntegerField(null=True)
    """Which face of it."""
    added_by = models.CharField(max_length=150, blank=True)
    """Who made the face of a picture an enrolment photo."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pupil", "sha256"], name="one_enrolment_per_photo")
        ]


class Template(models.Model):
    """An encrypted face template; destroyed with the consent it rests on."""

    photo = models.ForeignKey(EnrolmentPhoto, on_delete=models.CASCADE, related_name="templates")
    model = models.CharField(max_length=20)
    model_version = models.CharField(max_length=20)
    ciphertext = models.BinaryField()
    """float32 vector under the templates key, tied to pupil and model version."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photo", "model"], name="one_template_per_model")
        ]


class Portrait(models.Model):
    """The enrolled face as staff see it beside a face in a picture. It goes with its template."""

    template = models.OneToOneField(Template, on_delete=models.CASCADE, related_name="portrait")
    ciphertext = models.BinaryField()
    """JPEG of at most 160 pixels a side under the templates key, tied to pupil and model version
    (docs/adr/0012-portraits.md)."""


class Lookalike(models.Model):
    """Two enrolled pupils whom the models confuse (twins)."""

    first = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="+")
