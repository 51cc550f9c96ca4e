"""The ledger of what is, was, or is about to be in an approved folder."""

from django.db import models

from consent_gate.db.models.items import Item


class PublicationState(models.TextChoices):
    """Out: intended, written, listed, live. Back: withdrawing, removed; closed once every copy has
    long been gone and the manifest need not say so any more. Never out: cancelled, then
    cancelled_cleaned once its half-made files are gone."""

    INTENDED = "intended"
    WRITTEN = "written"
    LISTED = "listed"
    LIVE = "live"
    WITHDRAWING = "withdrawing"
    REMOVED = "removed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CANCELLED_CLEANED = "cancelled_cleaned"


PENDING = (PublicationState.INTENDED, PublicationState.WRITTEN)
IN_MANIFEST = (PublicationState.LISTED, PublicationState.LIVE)
OPEN = (*PENDING, *IN_MANIFEST)
RECALLED = (PublicationState.WITHDRAWING, PublicationState.REMOVED)


class Publication(models.Model):
    """One rendition of one item in one channel."""

    id = models.CharField(primary_key=True, max_length=26)
    """Random, and not the item's: a reader of the folder learns nothing from it."""
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="publications")
    channel = models.CharField(max_length=32)
    state = models.CharField(max_length=20, choices=PublicationState)
    file = models.CharField(max_length=64, unique=True)
    """``YYYY-MM/<random>.jpg`` below the channel's folder."""
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    siblings = models.JSONField(default=list)
    """The same picture in other forms: ``[{"kind": "webp", "sha256", "bytes"}]``; their files are
    called as ``file`` but for the ending."""
    redactions = models.JSONField(default=list)
    """Faces burnt over in this picture, as boxes of the original. Staff who cover another face, or
    uncover one, need another picture: this one is called back."""
    crop = models.JSONField(null=True)
    """The part of the original that is in this picture, as a box; None: all of it."""
    title = models.CharField(max_length=200, blank=True)
    alt = models.CharField(max_length=500, blank=True)
    intended_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=60, blank=True)
    """Why it came back, e.g. ``consent_refused``."""
    approval_at_recall = models.DateTimeField(null=True)
    """Time of the staff approval that stood when it came back: that one opens nothing again,
    whatever the clock says."""
    confirmed_at = models.DateTimeField(null=True)
    """When everybody who may hold a copy had confirmed that it is gone."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "channel"],
                condition=models.Q(state__in=OPEN),
                name="one_open_publication",
            )
        ]
        indexes = [
            models.Index(fields=["channel", "state"]),
            models.Index(fields=["withdrawn_at"], name="publication_withdrawn"),
        ]


class ChannelState(models.Model):
    """The manifest's sequence number of one channel."""

    channel = models.CharField(primary_key=True, max_length=32)
    sequence = models.PositiveBigIntegerField(default=0)
    """Raised in the transaction that changes what the manifest must say."""
    listed_sequence = models.PositiveBigIntegerField(default=0)
    """Sequence of the manifest last written: smaller means one is due."""


class FeedToken(models.Model):
    """Lets one consumer read one channel over HTTP. Kept after its end: reads name it."""

    id = models.CharField(primary_key=True, max_length=26)
    """First half of the token; says which row to compare with."""
    channel = models.CharField(max_length=32)
    consumer = models.CharField(max_length=60)
    """Who reads, e.g. ``wordpress``. A rotated token belongs to the same consumer."""
    secret_sha256 = models.CharField(max_length=64)
    """Of the second half: 256 random bits, so that a slow hash would gain nothing."""
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    """From then on it opens nothing; set by rotation and revocation."""
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["channel", "consumer"])]


class FeedDownload(models.Model):
    """That a picture was handed out over HTTP with this token."""

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="reads")
    token = models.ForeignKey(FeedToken, on_delete=models.PROTECT, related_name="reads")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "token"], name="one_read_row_a_token")
        ]


class Confirmation(models.Model):
    """That one consumer's copy of a recalled picture is gone."""

    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, related_name="confirmations"
    )
    consumer = models.CharField(max_length=60)
    """A feed's consumer, or ``staff`` for printed copies and folders."""
    actor = models.CharField(max_length=150)
    """Who said so: ``feed``, or a member of staff."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "consumer"], name="one_confirmation_a_consumer"
            )
        ]
