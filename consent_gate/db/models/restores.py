"""That this home was put back from a backup."""

from django.db import models


class Restore(models.Model):
    """What was withdrawn between the backup and the restore is not in the register: it counts
    as stale until an export of the restore's day or later has been imported."""

    restored_at = models.DateTimeField()
    on = models.DateField()
    """The day at the school."""
    backup_made_at = models.DateTimeField()
    newest_import = models.BigIntegerField(default=0)
    """Key of the newest import the backup held; 0: none."""
