"""Publications, albums, the manifests' sequence numbers, feed tokens, confirmations of recalls."""

from django.db import models

from consent_gate.db.models.items import Item
from consent_gate.publication import OPEN, PublicationState

_CHOICES = [(state.value, state.value.replace("_", " ").title()) for state in PublicationState]


class Publication(models.Model):
    """One rendition of one item in one channel."""

    id = models.CharField(primary_key=True, max_length=26)
    """Random, and different from the item's id, so that it reveals nothing to readers."""
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="publications")
    channel = models.CharField(max_length=32)
    state = models.CharField(max_length=20, choices=_CHOICES)
    file = models.CharField(max_length=64, unique=True)
    """``YYYY-MM/<random>.jpg`` below the channel's folder."""
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    siblings = models.JSONField(default=list)
    """The same picture in other formats: ``[{"kind": "webp", "sha256", "bytes"}]``. Their files
    have the name of ``file`` with another extension."""
    redactions = models.JSONField(default=list)
    """Boxes, in the original, of the faces covered in this photo. If a face has to be covered or
    uncovered, this picture is recalled and a new one is made."""
    gate_covers = models.PositiveIntegerField(default=0)
    """How many of these faces the gate covered by itself. It examines such a picture once more."""
    crop = models.JSONField(null=True)
    """The part of the original that this picture shows, as a box; None means all of it."""
    side = models.PositiveIntegerField(null=True)
    """Longest side in pixels, where a face would be too large at the channel's; None means the
    channel's."""
    kept = models.JSONField(null=True)
    """The parts of a film that it shows: ``[[from, to], ...]`` in milliseconds; None means all."""
    covered = models.JSONField(default=list)
    """Indices of the faces of a film that are covered in all its frames."""
    sound = models.JSONField(null=True)
    """The sound of a film: ``{"sha256", "muted": [[from, to], ...]}`` in milliseconds of the
    original; None means that it is silent."""
    title = models.CharField(max_length=200, blank=True)
    alt = models.CharField(max_length=500, blank=True)
    intended_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=60, blank=True)
    """Why it was recalled, e.g. ``consent_refused``."""
    approval_at_recall = models.DateTimeField(null=True)
    """Time of the staff approval that existed at the recall. This approval releases nothing again,
    even if the clock was changed."""
    confirmed_at = models.DateTimeField(null=True)
    """When the last reader that may have a copy confirmed that it is gone."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "channel"],
                condition=models.Q(state__in=[state.value for state in OPEN]),
                name="one_open_publication",
            )
        ]
        indexes = [
            models.Index(fields=["channel", "state"]),
            models.Index(fields=["withdrawn_at"], name="publication_withdrawn"),
        ]


class ChannelState(models.Model):
    """The sequence number of the manifest of one channel."""

    channel = models.CharField(primary_key=True, max_length=32)
    sequence = models.PositiveBigIntegerField(default=0)
    """Increased in the transaction that changes the content of the manifest."""
    listed_sequence = models.PositiveBigIntegerField(default=0)
    """Sequence number of the manifest file. If it is smaller, the file must be written again."""


class Album(models.Model):
    """The title under which staff publish the pictures of an event, and of its subfolders."""

    event = models.TextField(unique=True)
    """Folder below the inbox. It is never published."""
    title = models.CharField(max_length=200)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()


class FeedToken(models.Model):
    """Lets one reader read one channel over HTTP. Rows stay, because downloads refer to them."""

    id = models.CharField(primary_key=True, max_length=26)
    """First half of the token, which selects the row."""
    channel = models.CharField(max_length=32)
    reader = models.CharField(max_length=60)
    """Who reads, e.g. ``wordpress``. A rotated token belongs to the same reader."""
    secret_sha256 = models.CharField(max_length=64)
    """Digest of the second half. That has 256 random bits, so a slow hash is not needed."""
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    """When the token becomes invalid; set by rotation and revocation."""
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["channel", "reader"])]


class FeedDownload(models.Model):
    """A picture was downloaded over HTTP with this token."""

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
    """A reader confirmed that its copies of a recalled picture are gone."""

    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, related_name="confirmations"
    )
    reader = models.CharField(max_length=60)
    """The reader of a feed, or ``staff`` for printed copies and folders."""
    actor = models.CharField(max_length=150)
    """``feed``, or the account name of a member of staff."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "reader"], name="one_confirmation_a_reader"
            )
        ]
