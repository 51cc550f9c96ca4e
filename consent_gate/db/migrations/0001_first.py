import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Album',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.TextField(unique=True)),
                ('title', models.CharField(max_length=200)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('sequence', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('at', models.CharField(max_length=32)),
                ('actor', models.CharField(max_length=150)),
                ('action', models.CharField(db_index=True, max_length=60)),
                ('subject', models.CharField(db_index=True, max_length=64)),
                ('detail', models.JSONField(default=dict)),
                ('mac', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='Camera',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('device', models.CharField(max_length=200, unique=True)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ChannelState',
            fields=[
                ('channel', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('sequence', models.PositiveBigIntegerField(default=0)),
                ('listed_sequence', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='EventClasses',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.TextField(unique=True)),
                ('reg_groups', models.JSONField(default=list)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=255)),
                ('file_sha256', models.CharField(max_length=64)),
                ('exported_on', models.DateField(null=True)),
                ('status', models.CharField(choices=[('applied', 'Applied'), ('blocked', 'Blocked'), ('queued', 'Queued')], max_length=12)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
                ('accepted', models.JSONField(default=list)),
                ('mapping', models.TextField(blank=True)),
                ('summary', models.JSONField(default=dict)),
                ('complete', models.BooleanField(default=True)),
                ('undone_by', models.CharField(blank=True, max_length=150)),
                ('undone_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Restore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('restored_at', models.DateTimeField()),
                ('on', models.DateField()),
                ('backup_made_at', models.DateTimeField()),
                ('newest_import', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='SentReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=120, unique=True)),
                ('sent_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ThresholdSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('values', models.TextField()),
                ('report', models.TextField(blank=True)),
                ('proposed_at', models.DateTimeField()),
                ('proposed_by', models.CharField(max_length=150)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('accepted_by', models.CharField(blank=True, max_length=150)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('role', models.CharField(choices=[('office', 'Office'), ('reviewer', 'Reviewer'), ('safeguarding_lead', 'Safeguarding lead'), ('dpo', 'Data protection officer'), ('administrator', 'Administrator'), ('technician', 'Technician')], default='reviewer', max_length=24)),
                ('username_key', models.CharField(editable=False, max_length=255, unique=True)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Archive',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('location', models.TextField()),
                ('shard', models.CharField(blank=True, max_length=12)),
                ('run', models.PositiveIntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('location', 'shard'), name='one_archive_per_share')],
            },
        ),
        migrations.CreateModel(
            name='FeedToken',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('channel', models.CharField(max_length=32)),
                ('reader', models.CharField(max_length=60)),
                ('secret_sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['channel', 'reader'], name='gate_feedto_channel_b5521d_idx')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('size', models.BigIntegerField()),
                ('source', models.TextField()),
                ('event', models.TextField(blank=True, db_index=True)),
                ('state', models.CharField(choices=[('received', 'Received'), ('decided', 'Decided'), ('sealed', 'Sealed'), ('erased', 'Erased')], default='received', max_length=12)),
                ('priority', models.PositiveSmallIntegerField(choices=[(0, 'Live'), (1, 'Reexamine'), (2, 'Archive')], default=0)),
                ('needs_reexamination', models.BooleanField(db_index=True, default=False)),
                ('received_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('wrapped_key', models.BinaryField(null=True)),
                ('evidence', models.JSONField(null=True)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('alt', models.CharField(blank=True, max_length=500)),
                ('crop', models.JSONField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('revision', models.PositiveIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'priority', 'received_at'], name='item_queue_order')],
            },
        ),
        migrations.CreateModel(
            name='InboxSighting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.TextField(unique=True)),
                ('size', models.BigIntegerField()),
                ('modified_ns', models.BigIntegerField()),
                ('changed_ns', models.BigIntegerField(default=0)),
                ('inode', models.BigIntegerField(default=0)),
                ('seen_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sightings', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='ClosedPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.BooleanField(default=False)),
                ('channels', models.JSONField(default=list)),
                ('pixels_sha256', models.CharField(blank=True, db_index=True, max_length=64)),
                ('hashes', models.BinaryField(default=b'')),
                ('created_at', models.DateTimeField()),
                ('compared', models.BooleanField(default=False)),
                ('compared_to', models.CharField(blank=True, max_length=26)),
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='closed', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='LogInAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(max_length=64)),
                ('client', models.CharField(max_length=64)),
                ('device', models.CharField(blank=True, max_length=32)),
                ('step', models.CharField(max_length=8)),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['account', 'step', 'at'], name='gate_logina_account_640855_idx')],
            },
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('channel', models.CharField(max_length=32)),
                ('state', models.CharField(choices=[('intended', 'Intended'), ('written', 'Written'), ('listed', 'Listed'), ('live', 'Live'), ('withdrawing', 'Withdrawing'), ('removed', 'Removed'), ('closed', 'Closed'), ('cancelled', 'Cancelled'), ('cancelled_cleaned', 'Cancelled Cleaned')], max_length=20)),
                ('file', models.CharField(max_length=64, unique=True)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.BigIntegerField(default=0)),
                ('width', models.PositiveIntegerField(default=0)),
                ('height', models.PositiveIntegerField(default=0)),
                ('siblings', models.JSONField(default=list)),
                ('redactions', models.JSONField(default=list)),
                ('crop', models.JSONField(null=True)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('alt', models.CharField(blank=True, max_length=500)),
                ('intended_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('cause', models.CharField(blank=True, max_length=60)),
                ('approval_at_recall', models.DateTimeField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='publications', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='FeedDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=1)),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reads', to='gate.feedtoken')),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reads', to='gate.publication')),
            ],
        ),
        migrations.CreateModel(
            name='Confirmation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reader', models.CharField(max_length=60)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='gate.publication')),
            ],
        ),
        migrations.CreateModel(
            name='PupilEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('admission_number', models.CharField(max_length=32, unique=True)),
                ('upn', models.CharField(blank=True, max_length=13)),
                ('forename', models.CharField(blank=True, max_length=100)),
                ('surname', models.CharField(blank=True, max_length=100)),
                ('preferred_forename', models.CharField(blank=True, max_length=100)),
                ('preferred_surname', models.CharField(blank=True, max_length=100)),
                ('date_of_birth', models.DateField(null=True)),
                ('reg_group', models.CharField(blank=True, max_length=40)),
                ('year_group', models.CharField(blank=True, max_length=40)),
                ('family_key', models.CharField(blank=True, db_index=True, max_length=200)),
                ('address_key', models.CharField(blank=True, max_length=64)),
                ('family_group', models.CharField(blank=True, db_index=True, max_length=32)),
                ('never_publish', models.BooleanField(default=False)),
                ('biometric_objection', models.BooleanField(default=False)),
                ('on_roll', models.BooleanField(default=True)),
                ('former_numbers', models.JSONField(default=list)),
                ('last_import', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='gate.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='PupilChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changes', models.JSONField()),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='gate.importrun')),
                ('pupil', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='history', to='gate.pupilentry')),
            ],
        ),
        migrations.CreateModel(
            name='NeverPublishLift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('import_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='gate.importrun')),
                ('pupil', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mark_lift', to='gate.pupilentry')),
            ],
        ),
        migrations.CreateModel(
            name='Lookalike',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gate.pupilentry')),
                ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gate.pupilentry')),
            ],
        ),
        migrations.CreateModel(
            name='EnrolmentPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('taken_on', models.DateField(null=True)),
                ('first_imported_on', models.DateField()),
                ('face', models.PositiveSmallIntegerField(null=True)),
                ('added_by', models.CharField(blank=True, max_length=150)),
                ('confirmed_by', models.CharField(blank=True, max_length=150)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('in_doubt', models.BooleanField(default=False)),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='enrolments', to='gate.item')),
                ('pupil', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='photos', to='gate.pupilentry')),
            ],
        ),
        migrations.CreateModel(
            name='ConsentAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(max_length=40)),
                ('answer', models.CharField(choices=[('given', 'given'), ('refused', 'refused'), ('not_stated', 'not_stated')], max_length=10)),
                ('given_on', models.DateField(null=True)),
                ('expires_on', models.DateField(null=True)),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='gate.importrun')),
                ('pupil', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='gate.pupilentry')),
            ],
        ),
        migrations.CreateModel(
            name='PupilInItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('admission_number', models.CharField(db_index=True, max_length=32)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shown', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='ReviewNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=500)),
                ('actor', models.CharField(max_length=150)),
                ('asked', models.CharField(blank=True, db_index=True, max_length=150)),
                ('created_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='ScreenedPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.TextField()),
                ('mark', models.CharField(max_length=80)),
                ('run', models.PositiveIntegerField()),
                ('ruleset', models.CharField(max_length=64)),
                ('exported_on', models.DateField(null=True)),
                ('faces', models.PositiveSmallIntegerField(default=0)),
                ('reasons', models.JSONField(default=dict)),
                ('archive', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='gate.archive')),
            ],
        ),
        migrations.CreateModel(
            name='SealedExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('asked_by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('confirmed_by', models.CharField(blank=True, max_length=150)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('package', models.CharField(blank=True, max_length=26)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('taken_at', models.DateTimeField(null=True)),
                ('refused_by', models.CharField(blank=True, max_length=150)),
                ('refused_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exports', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='SeenBefore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.BooleanField(default=False)),
                ('channels', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('earlier', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='gate.closedpicture')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seen_before', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='StaffApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=32)),
                ('refused', models.BooleanField(default=False)),
                ('actor', models.CharField(max_length=150)),
                ('second_person', models.CharField(blank=True, max_length=150)),
                ('basis', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='StaffTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('face', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(choices=[('pupil', 'pupil'), ('adult_with_agreement', 'adult_with_agreement'), ('not_a_face', 'not_a_face'), ('blurred', 'blurred'), ('cannot_tell', 'cannot_tell')], max_length=24)),
                ('admission_number', models.CharField(blank=True, max_length=32)),
                ('basis', models.TextField(blank=True)),
                ('box', models.JSONField(null=True)),
                ('actor', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='gate.item')),
            ],
        ),
        migrations.CreateModel(
            name='SuspendedPurpose',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(max_length=40, unique=True)),
                ('since', models.DateTimeField()),
                ('import_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='gate.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=20)),
                ('model_version', models.CharField(max_length=20)),
                ('ciphertext', models.BinaryField()),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='gate.enrolmentphoto')),
            ],
        ),
        migrations.CreateModel(
            name='Portrait',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ciphertext', models.BinaryField()),
                ('template', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='portrait', to='gate.template')),
            ],
        ),
        migrations.CreateModel(
            name='ChannelDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=32)),
                ('verdict', models.CharField(choices=[('released', 'Released'), ('held', 'Held'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], max_length=10)),
                ('reasons', models.JSONField(default=list)),
                ('faces', models.JSONField(default=dict)),
                ('basis', models.JSONField(default=list)),
                ('decided_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='gate.item')),
            ],
            options={
                'indexes': [models.Index(fields=['channel', 'verdict'], name='gate_channe_channel_0e9926_idx')],
                'constraints': [models.UniqueConstraint(fields=('item', 'channel'), name='one_decision_per_channel')],
            },
        ),
        migrations.AddIndex(
            model_name='publication',
            index=models.Index(fields=['channel', 'state'], name='gate_public_channel_ed45b7_idx'),
        ),
        migrations.AddIndex(
            model_name='publication',
            index=models.Index(fields=['withdrawn_at'], name='publication_withdrawn'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['intended', 'written', 'listed', 'live'])), fields=('item', 'channel'), name='one_open_publication'),
        ),
        migrations.AddConstraint(
            model_name='feeddownload',
            constraint=models.UniqueConstraint(fields=('publication', 'token'), name='one_read_row_a_token'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.UniqueConstraint(fields=('publication', 'reader'), name='one_confirmation_a_reader'),
        ),
        migrations.AddConstraint(
            model_name='pupilchange',
            constraint=models.UniqueConstraint(fields=('run', 'pupil'), name='one_history_row_per_import'),
        ),
        migrations.AddConstraint(
            model_name='enrolmentphoto',
            constraint=models.UniqueConstraint(fields=('pupil', 'sha256'), name='one_enrolment_per_photo'),
        ),
        migrations.AddConstraint(
            model_name='consentanswer',
            constraint=models.UniqueConstraint(fields=('pupil', 'purpose'), name='one_answer_per_purpose'),
        ),
        migrations.AddConstraint(
            model_name='pupilinitem',
            constraint=models.UniqueConstraint(fields=('item', 'admission_number'), name='shown_once'),
        ),
        migrations.AddConstraint(
            model_name='screenedpicture',
            constraint=models.UniqueConstraint(fields=('archive', 'path'), name='screened_once'),
        ),
        migrations.AddConstraint(
            model_name='seenbefore',
            constraint=models.UniqueConstraint(fields=('item', 'earlier'), name='one_row_per_earlier_picture'),
        ),
        migrations.AddConstraint(
            model_name='staffapproval',
            constraint=models.UniqueConstraint(fields=('item', 'channel'), name='one_approval_per_channel'),
        ),
        migrations.AddConstraint(
            model_name='stafftag',
            constraint=models.UniqueConstraint(fields=('item', 'face'), name='one_tag_per_face'),
        ),
        migrations.AddConstraint(
            model_name='template',
            constraint=models.UniqueConstraint(fields=('photo', 'model'), name='one_template_per_model'),
        ),
    ]
