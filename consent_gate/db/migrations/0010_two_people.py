"""Lifting a never-publish mark takes two people; photos may wait to be looked at."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0013_crop_and_portraits"),
    ]

    operations = [
        migrations.CreateModel(
            name="MarkLift",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_by", models.CharField(max_length=150)),
                ("asked_at", models.DateTimeField()),
                (
                    "import_run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="gate.importrun",
                    ),
                ),
                (
                    "pupil",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mark_lift",
                        to="gate.pupilentry",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="importrun",
            name="status",
            field=models.CharField(
                choices=[("applied", "Applied"), ("blocked", "Blocked"), ("queued", "Queued")],
                max_length=12,
            ),
        ),
    ]
