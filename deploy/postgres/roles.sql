-- The two roles of the exchange, for the database `template1`: what stands there is copied into every
-- database made later, the test databases included. Safe to run again.
--
-- exchange_owner  owns the tables and migrates them
-- exchange_app    what the parts log in as: reads and writes rows, owns nothing, so that the
--                 triggers which protect the ledger cannot be switched off by it
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_owner') THEN
        CREATE ROLE exchange_owner LOGIN CREATEDB;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_app') THEN
        CREATE ROLE exchange_app LOGIN;
    END IF;
END
$$;

-- The owner may act as the application: SET ROLE exchange_app.
GRANT exchange_app TO exchange_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE exchange_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO exchange_app;
ALTER DEFAULT PRIVILEGES FOR ROLE exchange_owner
    GRANT USAGE, SELECT ON SEQUENCES TO exchange_app;

-- What PostgreSQL 15 and newer do by themselves: only the owner makes tables.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO exchange_owner;
