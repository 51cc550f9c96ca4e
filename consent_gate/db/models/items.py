"""Photos taken in, what was seen in them, what was decided, what staff said."""

from django.db import models

from consent_gate.model import TagKind


class ItemState(models.TextChoices):
    RECEIVED = "received"
    """In the vault, waiting for examination."""
    DECIDED = "decided"
    """Examined (or found impossible to examine) and decided for every channel."""
    SEALED = "sealed"
    ERASED = "erased"


class Priority(models.IntegerChoices):
    """Whose turn it is among photos that wait for examination; see ``ingest.scheduling.queue``."""

    LIVE = 0
    """Dropped in just now, or changed by a person who waits for it."""
    REEXAMINE = 1
    """Decided before, and looked at again because the register changed."""
    ARCHIVE = 2
    """Of an archive that is screened at leisure."""


class ChannelStatus(models.TextChoices):
    RELEASED = "released"
    HELD = "held"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Item(models.Model):
    """One photo, known by its content."""

    id = models.CharField(primary_key=True, max_length=26)
    """Random; says nothing of the photo."""
    sha256 = models.CharField(max_length=64, unique=True)
    """Of the original bytes: the same photo dropped twice is one item."""
    size = models.BigIntegerField()
    source = models.TextField()
    """Path below the inbox where it was first seen."""
    event = models.TextField(blank=True, db_index=True)
    state = models.CharField(max_length=12, choices=ItemState, default=ItemState.RECEIVED)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.LIVE)
    """While it waits for examination."""
    needs_reexamination = models.BooleanField(default=False, db_index=True)
    """Somebody was enrolled since who may be in it: goes back when little waits."""
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    wrapped_key = models.BinaryField(null=True)
    """Key of the vault copy under the home's key; destroying it erases the photo."""
    evidence = models.JSONField(null=True)
    """``evidence_codec`` form of what the machine saw; no embedding is ever in it."""
    title = models.CharField(max_length=200, blank=True)
    """Given by staff, for the manifest."""
    alt = models.CharField(max_length=500, blank=True)
    """Description by staff for people who cannot see the picture."""
    crop = models.JSONField(null=True)
    """The part that staff want published, as a box of the original; None: all of it."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Examinations begun; one that kills its worker every time is held, not retried for ever."""
    revision = models.PositiveIntegerField(default=0)
    """Raised by every staff input: a second person saving over an older page is told."""

    class Meta:
        indexes = [
            models.Index(fields=["state", "priority", "received_at"], name="item_queue_order")
        ]


class InboxSighting(models.Model):
    """A file in the inbox that turned out to be this item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="sightings")
    source = models.TextField(unique=True)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    seen_at = models.DateTimeField()


class PupilInItem(models.Model):
    """A pupil whom the machine or staff found in an item: the way from a pupil to the photos."""

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
    verdict = models.CharField(max_length=10, choices=ChannelStatus)
    reasons = models.JSONField(default=list)
    faces = models.JSONField(default=dict)
    """Index of a face, as text, to its reasons."""
    basis = models.JSONField(default=list)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "channel"], name="one_decision_per_channel")
        ]
        indexes = [models.Index(fields=["channel", "verdict"])]


class StaffTag(models.Model):
    """What staff said of one face of one picture. It never becomes a template by itself."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="tags")
    face = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=24, choices=[(k.value, k.value) for k in TagKind])
    admission_number = models.CharField(max_length=32, blank=True)
    basis = models.TextField(blank=True)
    box = models.JSONField(null=True)
    """Set where staff drew the face: its index then lies past the machine's faces."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "face"], name="one_tag_per_face")]


class StaffApproval(models.Model):
    """A release or refusal by staff, for one channel."""

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
