"""Results of screening an archive of pictures: reasons and counts, no pupils."""

from django.db import models


class Archive(models.Model):
    """Pictures outside the gate, in a folder or a bucket, or one shard of them."""

    location = models.TextField()
    """The absolute path of a folder, or a URL such as ``s3://bucket/folder``."""
    shard = models.CharField(max_length=12, blank=True)
    """``2/4`` is the second of four shards; empty means everything."""
    run = models.PositiveIntegerField(default=0)
    """Number of the newest screening run. A run that is continued keeps its number."""
    finished_at = models.DateTimeField(null=True)
    """When the newest run was completed; empty until then."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "shard"], name="one_archive_per_share"),
        ]


class ScreenedPicture(models.Model):
    """One file of an archive and the verdict of the gate on it."""

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="pictures")
    path = models.TextField()
    """Path below the archive, with forward slashes."""
    mark = models.CharField(max_length=80)
    """Size and time of the file, or its ETag in a bucket. A change means another picture."""
    run = models.PositiveIntegerField()
    ruleset = models.CharField(max_length=64)
    """Version of the consent list, templates and thresholds that the verdict depends on."""
    exported_on = models.DateField(null=True)
    """Run date of that consent list."""
    faces = models.PositiveSmallIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    """By channel: why it would be held; an empty list means released. It names no pupil: staff see
    who is shown by looking at the picture itself."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["archive", "path"], name="screened_once"),
        ]
