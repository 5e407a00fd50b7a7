#!/bin/sh
# Run once by the image of the database, on an empty volume: the roles with their passwords, and
# the database. It is copied from template1, where the image has put TimescaleDB.
set -eu

psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname template1 --file /exchange/roles.sql
psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set owner_password="$OWNER_DATABASE_PASSWORD" --set app_password="$APP_DATABASE_PASSWORD" <<'SQL'
ALTER ROLE exchange_owner PASSWORD :'owner_password';
ALTER ROLE exchange_app PASSWORD :'app_password';
CREATE DATABASE exchange OWNER exchange_owner;
SQL
