"""What a look through an archive found: words and counts, never who is shown."""

from django.db import models


class Archive(models.Model):
    """Pictures outside the gate, in a folder or a bucket, or one machine's share of them."""

    location = models.TextField()
    """A folder's whole path, or an address such as ``s3://bucket/folder``."""
    shard = models.CharField(max_length=12, blank=True)
    """``2/4``: the second of four shares; empty: everything."""
    run = models.PositiveIntegerField(default=0)
    """How often a look began that was no continuation."""
    finished_at = models.DateTimeField(null=True)
    """When the latest look reached the end; empty while it has not."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "shard"], name="one_archive_per_share"),
        ]


class ScreenedPicture(models.Model):
    """One file of an archive and what the gate would say of it."""

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="pictures")
    path = models.TextField()
    """Below the archive, with forward slashes."""
    mark = models.CharField(max_length=80)
    """Size and time, or the bucket's own tag: with another one it is another picture."""
    run = models.PositiveIntegerField()
    ruleset = models.CharField(max_length=64)
    """Which consent list, templates and thresholds it was judged by."""
    exported_on = models.DateField(null=True)
    """Day of that consent list."""
    faces = models.PositiveSmallIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    """By channel: why it would be held; an empty list where it would be cleared. No pupil is
    named here: who is shown is seen by looking at the picture itself."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["archive", "path"], name="screened_once"),
        ]
