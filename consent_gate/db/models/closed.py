"""Pictures that staff closed, and the copies of them that came in."""

from django.db import models

from consent_gate.db.models.items import Item


class ClosedPicture(models.Model):
    """A picture that a person sealed, refused or recalled by hand, to recognise its copies.

    It is deleted with the last of these answers, and when the picture is erased.
    """

    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="closed")
    sealed = models.BooleanField(default=False)
    channels = models.JSONField(default=list)
    """Channels from which a person refused or recalled it; unused where it is sealed."""
    pixels_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """Digest of the examined pixels; empty where it was never examined."""
    hashes = models.BinaryField(default=b"")
    """``picture_hash.picture_hashes``, upright only. Nobody can make the picture from it."""
    description = models.BinaryField(default=b"")
    """``closed_description.Description``, encrypted (``decisions.copy_traits``)."""
    created_at = models.DateTimeField()
    compared = models.BooleanField(default=False)
    """Whether all pictures that came in before were compared with it."""
    compared_to = models.CharField(max_length=26, blank=True)
    """Id of the last picture that was compared with it."""


class SeenBefore(models.Model):
    """A picture that is a copy of a closed one, or shows it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="seen_before")
    earlier = models.ForeignKey(
        ClosedPicture, null=True, on_delete=models.CASCADE, related_name="copies"
    )
    """None where the earlier picture was erased; ``sealed`` and ``channels`` then say how it was
    closed."""
    sealed = models.BooleanField(default=False)
    """Whether the earlier picture was sealed when it was erased."""
    channels = models.JSONField(default=list)
    is_certain = models.BooleanField(default=True)
    """Whether it is a copy as a whole. A picture that only shows a sealed one is not sealed."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "earlier"], name="one_row_per_earlier_picture")
        ]
