"""Inputs of matching other than templates: thresholds, and the classes at an event."""

from django.db import models


class ThresholdSet(models.Model):
    """Thresholds that a calibration proposed. They are in force after a person accepted them."""

    values = models.TextField()
    """``Thresholds.to_json``."""
    report = models.TextField(blank=True)
    """The calibration report, as HTML."""
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(max_length=150, blank=True)
    school_model = models.CharField(max_length=64, blank=True)
    """Version of the school's own face model that they are for; empty for the package's models."""
    measured_photos = models.JSONField(default=list)
    """Keys of the enrolment photos that were measured; only for the school's own model."""
    signature = models.CharField(max_length=64, blank=True)
    """HMAC-SHA256 of values, model and photos under the home's audit key, so that they are valid in
    no other home; only for the school's own model."""


class EventClasses(models.Model):
    """The classes and pupils that staff named for an event. The machine clears only these pupils.

    A row that names nobody says that the file of this event was read and staff removed its names.
    """

    event = models.TextField(unique=True)
    """Folder below the inbox."""
    reg_groups = models.JSONField(default=list)
    unknown = models.JSONField(default=list)
    """Names that were given and are not on the register. Until they are corrected, every picture of
    the event is held."""
    listed = models.BooleanField(default=False)
    """Whether single pupils were named, too."""
    restored = models.BooleanField(default=False)
    """Whether a restore named them again. Then the roll makes no comparison less strict."""
    file_sha256 = models.CharField(max_length=64, blank=True)
    """SHA-256 of the ``classes.txt`` that was read last; empty where there was none."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    @property
    def names_anybody(self) -> bool:
        """Whether the row restricts the event to some pupils."""
        return bool(self.reg_groups or self.unknown or self.listed)


class EventPupil(models.Model):
    """A pupil who was at an event: as the classes were when staff named them."""

    roll = models.ForeignKey(EventClasses, on_delete=models.CASCADE, related_name="pupils")
    pupil = models.ForeignKey("PupilEntry", on_delete=models.CASCADE, related_name="events")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["roll", "pupil"], name="on_roll_once")]
