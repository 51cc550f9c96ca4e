"""The ledger of what is, was, or is about to be in an approved folder."""

from django.db import models

from consent_gate.db.models.items import Item


class PublicationState(models.TextChoices):
    """Out: intended, written, listed, live. Back: unlisted, removed. Never out: abandoned."""

    INTENDED = "intended"
    WRITTEN = "written"
    LISTED = "listed"
    LIVE = "live"
    UNLISTED = "unlisted"
    REMOVED = "removed"
    ABANDONED = "abandoned"


ON_THE_WAY_OUT = (PublicationState.INTENDED, PublicationState.WRITTEN)
IN_MANIFEST = (PublicationState.LISTED, PublicationState.LIVE)
OPEN = (*ON_THE_WAY_OUT, *IN_MANIFEST)


class Publication(models.Model):
    """One rendition of one item in one channel."""

    id = models.CharField(primary_key=True, max_length=26)
    """Random, and not the item's: a reader of the folder learns nothing from it."""
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="publications")
    channel = models.CharField(max_length=32)
    state = models.CharField(max_length=10, choices=PublicationState)
    file = models.CharField(max_length=64, unique=True)
    """``YYYY-MM/<random>.jpg`` below the channel's folder."""
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=200, blank=True)
    alt = models.CharField(max_length=500, blank=True)
    intended_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=60, blank=True)
    """Why it came back, e.g. ``consent_refused``."""
    confirmed_at = models.DateTimeField(null=True)
    """When a consumer, or staff for it, confirmed that its copy is gone."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "channel"],
                condition=models.Q(state__in=OPEN),
                name="one_open_publication",
            )
        ]
        indexes = [models.Index(fields=["channel", "state"])]


class ChannelState(models.Model):
    """The manifest's sequence number of one channel."""

    channel = models.CharField(primary_key=True, max_length=32)
    sequence = models.PositiveBigIntegerField(default=0)
    """Raised in the transaction that changes what the manifest must say."""
    listed_sequence = models.PositiveBigIntegerField(default=0)
    """Sequence of the manifest last written: smaller means one is due."""
