"""Pupils, their consents, the imports of exports, and face templates."""

from django.db import models

from consent_gate.model import Answer


class ImportRun(models.Model):
    """One import of an export or of photos, and its result."""

    class Status(models.TextChoices):
        APPLIED = "applied"
        BLOCKED = "blocked"
        QUEUED = "queued"
        """Photos uploaded in the browser, waiting to be enrolled."""

    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    answers_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of the answers of an export, to recognise a file that was saved again; else empty."""
    exported_on = models.DateField(null=True)
    status = models.CharField(max_length=12, choices=Status)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    accepted = models.JSONField(default=list)
    """Codes of the blocks that a person accepted."""
    mapping = models.TextField(blank=True)
    """The mapping of the export's captions that was used, as TOML."""
    summary = models.JSONField(default=dict)
    """The report of ``import-sims --json``: admission numbers and counts."""
    complete = models.BooleanField(default=True)
    """Whether the export covers the whole school; only then it renews the register's date."""
    undone_by = models.CharField(max_length=150, blank=True)
    """Account name of the person who withdrew the consents that the import granted."""
    undone_at = models.DateTimeField(null=True)


class PupilEntry(models.Model):
    """One pupil on the register, as of the last import."""

    admission_number = models.CharField(max_length=32, unique=True)
    """As SIMS exported it, padded with zeros."""
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
    """The same for all brothers and sisters; computed after every import."""
    never_publish = models.BooleanField(default=False)
    biometric_objection = models.BooleanField(default=False)
    on_roll = models.BooleanField(default=True)
    erased_relative = models.BooleanField(default=False)
    """Whether a brother, sister or lookalike at the school was erased since the last import."""
    former_numbers = models.JSONField(default=list)
    """Earlier admission numbers of this pupil, which the evidence of older pictures has."""
    last_import = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)


class ConsentAnswer(models.Model):
    """The answer for one purpose. No row means ``not_stated``."""

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
    """The changes to one pupil by one import, for the history of consents and for undo."""

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
    """A reminder that was mailed, so that it is not sent again every day."""

    code = models.CharField(max_length=120, unique=True)
    """Identifies the reminder, e.g. ``register-ages:2026-09-04``."""
    sent_at = models.DateTimeField()


class SuspendedPurpose(models.Model):
    """A purpose whose consents disappeared in an import, probably by accident."""

    purpose = models.CharField(max_length=40, unique=True)
    since = models.DateTimeField()
    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)


class EnrolmentPhoto(models.Model):
    """A photo from which templates were made. The photo itself is not stored.

    It was imported, or taken with the webcam, or it is one face of a picture that staff named. In
    the last case the row is deleted together with the picture or with the tag of the face.
    """

    pupil = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="photos")
    sha256 = models.CharField(max_length=64)
    taken_on = models.DateField(null=True)
    """None if unknown; the age then counts from ``first_imported_on``."""
    first_imported_on = models.DateField()
    item = models.ForeignKey("Item", null=True, on_delete=models.CASCADE, related_name="enrolments")
    """The picture that the face comes from; None for a photo that was imported or taken with the
    webcam."""
    face = models.PositiveSmallIntegerField(null=True)
    """Index of the face in that picture."""
    added_by = models.CharField(max_length=150, blank=True)
    """Account name of the person who enrolled the face of a picture, or took the photo with the
    webcam; empty for an imported photo."""
    confirmed_by = models.CharField(max_length=150, blank=True)
    """Who looked at the portrait and said that it shows this pupil."""
    confirmed_at = models.DateTimeField(null=True)
    """None until then. A photo that is not confirmed clears nobody."""
    in_doubt = models.BooleanField(default=False)
    """Whether it does not look like another photo of the same pupil. Either may be wrong, so it is
    confirmed on its own, never with its class."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pupil", "sha256"], name="one_enrolment_per_photo")
        ]


class Template(models.Model):
    """An encrypted face template. It is destroyed when biometric consent ends."""

    photo = models.ForeignKey(EnrolmentPhoto, on_delete=models.CASCADE, related_name="templates")
    model = models.CharField(max_length=20)
    model_version = models.CharField(max_length=64)
    ciphertext = models.BinaryField()
    """The float32 vector, encrypted under the templates key and tied to pupil and model version."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photo", "model"], name="one_template_per_model")
        ]


class Portrait(models.Model):
    """The enrolled face, which staff compare with a face in a picture. It is deleted with its
    template."""

    template = models.OneToOneField(Template, on_delete=models.CASCADE, related_name="portrait")
    ciphertext = models.BinaryField()
    """JPEG of at most 160 pixels a side, encrypted under the templates key and tied to pupil and
    model version (docs/adr/0012-portraits.md)."""


class Lookalike(models.Model):
    """Two enrolled pupils whom the models confuse, such as twins."""

    first = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(PupilEntry, on_delete=models.CASCADE, related_name="+")
