"""What a look through an archive found."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0016_sealed_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("location", models.TextField()),
                ("part", models.CharField(blank=True, max_length=12)),
                ("look", models.PositiveIntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("location", "part"), name="one_archive_per_share")
                ],
            },
        ),
        migrations.CreateModel(
            name="ScreenedPicture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.TextField()),
                ("mark", models.CharField(max_length=80)),
                ("look", models.PositiveIntegerField()),
                ("judged_by", models.CharField(max_length=64)),
                ("exported_on", models.DateField(null=True)),
                ("faces", models.PositiveSmallIntegerField(default=0)),
                ("reasons", models.JSONField(default=dict)),
                ("archive", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="gate.archive")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("archive", "path"), name="screened_once")
                ],
            },
        ),
    ]
