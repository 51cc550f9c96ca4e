"""Items (photos), their evidence, the decisions on them, and what staff said about them."""

from django.db import models

from consent_gate.model import TagKind
from consent_gate.publication import ChannelStatus


class ItemState(models.TextChoices):
    RECEIVED = "received"
    """Stored in the vault and waiting for examination."""
    DECIDED = "decided"
    """Examined (or found impossible to examine) and decided for every channel."""
    SEALED = "sealed"
    ERASED = "erased"


class Priority(models.IntegerChoices):
    """Order of photos that wait for examination; see ``ingest.scheduling.queue``."""

    LIVE = 0
    """A new photo, or one that a person changed and waits for."""
    REEXAMINE = 1
    """Decided before, and examined again because the register changed."""
    ARCHIVE = 2
    """A picture of an archive, which can wait."""


class Item(models.Model):
    """One photo, identified by its content."""

    id = models.CharField(primary_key=True, max_length=26)
    """Random; reveals nothing about the photo."""
    sha256 = models.CharField(max_length=64, unique=True)
    """SHA-256 of the original bytes: two files with the same bytes are one item."""
    size = models.BigIntegerField()
    """Of the original, in bytes."""
    source = models.TextField()
    """Path below the inbox where it was first seen."""
    event = models.TextField(blank=True, db_index=True)
    state = models.CharField(max_length=12, choices=ItemState, default=ItemState.RECEIVED)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.LIVE)
    """Used only while the item waits for examination."""
    needs_reexamination = models.BooleanField(default=False, db_index=True)
    """A pupil enrolled later may be in it: it is examined again when few photos wait."""
    shows_text = models.BooleanField(default=True)
    """Text was read in it, or it was not looked for. What it says is not stored."""
    names_outdated = models.BooleanField(default=False)
    """Its text was not compared with all names and faces that are known now: nothing of it is newly
    published before it is examined again."""
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    wrapped_key = models.BinaryField(null=True)
    """Key of the vault copy, encrypted under the home's key. Destroying it erases the photo."""
    evidence = models.JSONField(null=True)
    """The evidence in the form of ``db.evidence_json``. It contains no embedding."""
    live_photo = models.CharField(max_length=64, blank=True, db_index=True)
    """Digest of the random identifier that a live photo's picture and film share; else empty."""
    title = models.CharField(max_length=200, blank=True)
    """Title by staff, for the manifest."""
    alt = models.CharField(max_length=500, blank=True)
    """Description by staff for people who cannot see the picture."""
    crop = models.JSONField(null=True)
    """The part to publish, ``[x, y, width, height]`` in the original; None means the whole."""
    film_edit = models.JSONField(null=True)
    """How staff cut a film: ``{"kept": [[from, to], ...], "frames": SHA-256}``, in milliseconds;
    None means the whole film."""
    sound_review = models.JSONField(null=True)
    """What staff said about the sound of a film: ``{"frames": SHA-256, "sound": SHA-256, "off",
    "heard": [[from, to], ...], "muted": [[from, to], ...]}``, in milliseconds."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Examinations started. An item that crashes its worker each time is finally held."""
    revision = models.PositiveIntegerField(default=0)
    """Increased by every staff input, so that saving from an outdated page is refused."""
    queue_place = models.CharField(max_length=60, blank=True)
    """By which the held pictures of an event are sorted; the same for pictures of one moment. Empty
    before the first examination. ``decisions.bursts`` sets it."""
    burst_key = models.CharField(max_length=40, blank=True)
    """Size and number of faces: pictures of one moment have the same (``matching.bursts``). Empty
    where the picture can be of no burst."""

    class Meta:
        indexes = [
            models.Index(fields=["state", "priority", "received_at"], name="item_queue_order"),
            models.Index(fields=["event", "burst_key", "received_at"], name="item_burst"),
        ]


class InboxSighting(models.Model):
    """A file in the inbox that turned out to be this item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="sightings")
    source = models.TextField(unique=True)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    changed_ns = models.BigIntegerField(default=0)
    """Change time; 0 where it is unknown, so that the file is read again."""
    inode = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField()


class PupilInItem(models.Model):
    """A pupil whom the machine or staff named in an item, to find the photos of a pupil."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="shown")
    admission_number = models.CharField(max_length=32, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "admission_number"], name="shown_once")
        ]


class ChannelDecision(models.Model):
    """The last decision about an item for one channel."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="decisions")
    channel = models.CharField(max_length=32)
    verdict = models.CharField(
        max_length=10, choices=[(s.value, s.value.title()) for s in ChannelStatus]
    )
    reasons = models.JSONField(default=list)
    faces = models.JSONField(default=dict)
    """Reasons of each held face, by the index of the face as text."""
    basis = models.JSONField(default=list)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "channel"], name="one_decision_per_channel")
        ]
        indexes = [models.Index(fields=["channel", "verdict"])]


class StaffTag(models.Model):
    """What staff said about one face of one picture. A tag alone never creates a template."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="tags")
    face = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=24, choices=[(k.value, k.value) for k in TagKind])
    admission_number = models.CharField(max_length=32, blank=True)
    basis = models.TextField(blank=True)
    box = models.JSONField(null=True)
    """Box of a face that staff drew; its index follows those of the detected faces."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    before = models.JSONField(null=True)
    """For a face that was covered with everybody else: ``kind``, ``actor`` and ``created_at`` of
    the answer before, which an undo brings back. None where the face had no answer."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "face"], name="one_tag_per_face")]


class StaffApproval(models.Model):
    """An approval or refusal by staff for one channel."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="approvals")
    channel = models.CharField(max_length=32)
    refused = models.BooleanField(default=False)
    actor = models.CharField(max_length=150)
    second_person = models.CharField(max_length=150, blank=True)
    basis = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "channel"], name="one_approval_per_channel")
        ]
