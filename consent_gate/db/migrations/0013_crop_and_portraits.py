"""Crops, portraits beside their templates, and enrolment photos that came from a picture."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0019_priority"),
    ]

    operations = [
        migrations.AddField("item", "crop", models.JSONField(null=True)),
        migrations.AddField("publication", "crop", models.JSONField(null=True)),
        migrations.AddField(
            "enrolmentphoto", "added_by", models.CharField(blank=True, max_length=150)
        ),
        migrations.AddField(
            "enrolmentphoto", "face", models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(
            "enrolmentphoto",
            "item",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrolments",
                to="gate.item",
            ),
        ),
        migrations.CreateModel(
            name="Portrait",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sealed", models.BinaryField()),
                (
                    "template",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="portrait",
                        to="gate.template",
                    ),
                ),
            ],
        ),
    ]
