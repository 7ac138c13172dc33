-- The roles of Semel's services in PostgreSQL, and what each may do. `semel database prepare` makes the tables and runs
-- this; `semel up` does both. It may run again at any time, and must after each update: new tables have no rights yet.
--
-- Run it as the owner of the tables, who needs CREATEROLE. The roles have no passwords: give each its own
--   ALTER ROLE semel_api PASSWORD '...'
-- name them in semel.yaml (postgres.users) and put the passwords into the passfile that its DSN names.
--
--               schema ledger                                  schema api                       schema receipts
-- semel_ledger  adds events, recipients and shares, which      -                                -
--               it can neither change nor delete; counts
-- semel_api     reads; adds who looked at whom and who was     its own; approvals, decisions,   reads
--               let in, which it can not date, change, delete  revocations, tests only added
-- semel_receipts -                                             -                                its own
DO $roles$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['semel_api', 'semel_ledger', 'semel_receipts'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- roles are of the whole server: another database was prepared at the same moment
            END;
        END IF;
    END LOOP;
    name := current_database();
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO semel_api, semel_ledger, semel_receipts', name);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO semel_ledger', name); -- its staging tables
END $roles$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO semel_api, semel_ledger, semel_receipts;
GRANT SELECT ON public.schema_steps TO semel_api, semel_ledger, semel_receipts;

GRANT USAGE ON SCHEMA ledger TO semel_ledger, semel_api;
GRANT SELECT, INSERT ON ledger.events, ledger.recipients, ledger.shares TO semel_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.positions, ledger.campaigns, ledger.wave_totals, ledger.channel_totals,
    ledger.persons, ledger.notifications TO semel_ledger;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.paces TO semel_ledger;
GRANT SELECT ON ledger.events, ledger.recipients, ledger.shares, ledger.positions, ledger.campaigns,
    ledger.wave_totals, ledger.channel_totals, ledger.persons, ledger.notifications, ledger.paces TO semel_api;
GRANT SELECT, INSERT (actor, peer, what, campaign, recipient_ref, people, reason, case_number) ON ledger.lookups
    TO semel_api;
GRANT SELECT, INSERT (actor, peer, what, about, text, times) ON ledger.access_events TO semel_api;
-- A campaign's partitions are made by the ledger through this function alone, which runs as their owner.
REVOKE EXECUTE ON FUNCTION ledger.make_campaign(text), ledger.share_rights(regclass, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.make_campaign(text) TO semel_ledger;
SELECT count(ledger.share_rights(i.inhparent, i.inhrelid))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
WHERE c.relkind = 'p' AND c.relnamespace = 'ledger'::regnamespace;

GRANT USAGE ON SCHEMA api TO semel_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA api TO semel_api;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA api TO semel_api;
REVOKE DELETE ON api.campaigns FROM semel_api;
REVOKE UPDATE, DELETE ON api.approvals, api.revoked_tokens, api.decisions, api.verifiable FROM semel_api;
REVOKE DELETE ON api.test_addresses, api.trials, api.users, api.tokens FROM semel_api;

GRANT USAGE ON SCHEMA receipts TO semel_receipts, semel_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA receipts TO semel_receipts;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA receipts TO semel_receipts;
GRANT SELECT ON ALL TABLES IN SCHEMA receipts TO semel_api;
