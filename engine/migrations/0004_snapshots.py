import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0003_dead_letters'),
    ]

    operations = [
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.BigIntegerField(help_text='The journal entry it stands at.')),
                ('time', models.DateTimeField(help_text='Of that journal entry.')),
                ('epoch', models.BigIntegerField()),
                ('core', models.IntegerField(help_text='Version of the core that wrote it.')),
                ('format', models.IntegerField()),
                ('digest', models.TextField(help_text='Of all events up to that entry.')),
                ('state_hash', models.TextField()),
                ('sha256', models.TextField(help_text='Of the compressed bytes.')),
                ('size', models.BigIntegerField(help_text='Bytes, compressed.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['-sequence', '-id'], name='snapshot_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('sequence__gt', 0), ('size__gt', 0)), name='snapshot_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='SnapshotPiece',
            fields=[
                ('pk', models.CompositePrimaryKey('snapshot_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField(help_text='Counts from 0.')),
                ('data', models.BinaryField()),
                ('snapshot', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='engine.snapshot')),
            ],
        ),
        # The bytes are compressed already: PostgreSQL need not try again.
        migrations.RunSQL(
            "ALTER TABLE engine_snapshotpiece ALTER COLUMN data SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
