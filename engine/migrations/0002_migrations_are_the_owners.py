from django.db import migrations

# Where the application migrates by itself, it is the owner and goes on to need them.
REVOKE = """
DO $$ BEGIN
    IF current_user <> 'exchange_app'
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_app')
    THEN
        REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM exchange_app;
    END IF;
END $$;
"""
GRANT = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_app') THEN
        GRANT INSERT, UPDATE, DELETE ON django_migrations TO exchange_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    """The application reads which migrations ran; only their owner says so."""

    dependencies = [
        ('engine', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(REVOKE, GRANT),
    ]
