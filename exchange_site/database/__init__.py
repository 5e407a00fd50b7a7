"""A database backend for every PostgreSQL, with hypertables where TimescaleDB is."""
