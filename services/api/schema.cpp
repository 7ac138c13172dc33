#include "schema.hpp"

#include <postgres/pool.hpp>

namespace semel::api::store {

void migrate(pqxx::connection& connection) {
    postgres::migrate(connection, "api",
                      {R"(
CREATE SCHEMA IF NOT EXISTS api;
CREATE TABLE api.users (name text PRIMARY KEY, role text NOT NULL, token_sha256 bytea NOT NULL UNIQUE);
CREATE TABLE api.campaigns (id text PRIMARY KEY, state bytea NOT NULL, notice bytea NOT NULL, creator text NOT NULL,
    created timestamptz NOT NULL DEFAULT now());
CREATE TABLE api.uploads (campaign text NOT NULL REFERENCES api.campaigns, wave int NOT NULL, state text NOT NULL,
    reason text NOT NULL DEFAULT '', file_digest bytea, rows bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0,
    rejects_path text NOT NULL DEFAULT '', PRIMARY KEY (campaign, wave), UNIQUE (campaign, file_digest));
CREATE TABLE api.registered (campaign text NOT NULL, wave int NOT NULL, partition int NOT NULL, end_offset bigint NOT NULL,
    recipients bigint NOT NULL, unreachable bigint NOT NULL, addresses jsonb NOT NULL, PRIMARY KEY (campaign, wave, partition));
CREATE TABLE api.approvals (campaign text NOT NULL, waves int[] NOT NULL, notice_digest bytea NOT NULL,
    audience_digest bytea NOT NULL, plan_digest bytea NOT NULL, approver text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE api.outbox (number bigserial PRIMARY KEY, topic text NOT NULL, partition int NOT NULL, key bytea NOT NULL, value bytea NOT NULL);
)",
                       R"(
-- An upload has a number of its own, never used again; the wave's number comes with the end of its import.
ALTER TABLE api.uploads RENAME COLUMN wave TO number;
ALTER TABLE api.uploads ADD COLUMN wave int, ADD COLUMN receiver text NOT NULL DEFAULT '',
    ADD COLUMN heard timestamptz NOT NULL DEFAULT now();
UPDATE api.uploads SET wave = number WHERE state = 'imported';
ALTER TABLE api.campaigns ADD COLUMN uploads int NOT NULL DEFAULT 0;
UPDATE api.campaigns c SET uploads = coalesce((SELECT max(u.number) FROM api.uploads u WHERE u.campaign = c.id), 0);
)",
                       R"(
CREATE TABLE api.publisher (holder text NOT NULL, heard timestamptz NOT NULL);
INSERT INTO api.publisher VALUES ('', '-infinity');
)",
                       R"(
ALTER TABLE api.uploads ADD COLUMN findings bytea;
ALTER TABLE api.approvals ADD COLUMN accepted jsonb NOT NULL DEFAULT '{}';
)",
                       R"(
-- Files are found by their upload's ids.
ALTER TABLE api.uploads DROP COLUMN rejects_path;
)",
                       R"(
-- Never deleted from: who let whom in, and until when.
CREATE TABLE api.test_addresses (number bigserial PRIMARY KEY, channel text NOT NULL, mark bytea NOT NULL,
    shown text NOT NULL, added_by text NOT NULL, added timestamptz NOT NULL DEFAULT now(), removed_by text,
    removed timestamptz);
CREATE UNIQUE INDEX test_addresses_in_force ON api.test_addresses (channel, mark) WHERE removed IS NULL;
CREATE TABLE api.revoked_tokens (token_sha256 bytea PRIMARY KEY, name text NOT NULL, revoked_by text NOT NULL,
    revoked timestamptz NOT NULL DEFAULT now());
-- A row for each test message.
CREATE TABLE api.trials (campaign text NOT NULL REFERENCES api.campaigns, notification bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (campaign, notification));
)",
                       R"(
-- A user is a person: with several roles, and tokens that end. Nobody is deleted: who it was is asked years later.
-- Users of tokens_dir are named like their role, and their tokens are what stands in the files.
ALTER TABLE api.users ADD COLUMN roles text[] NOT NULL DEFAULT '{}', ADD COLUMN from_file boolean NOT NULL DEFAULT false,
    ADD COLUMN added_by text NOT NULL DEFAULT '', ADD COLUMN added timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN revoked timestamptz;
UPDATE api.users SET roles = ARRAY[role], from_file = true;
-- scope: roles that the token is for, or "read"; empty for all that its user may.
CREATE TABLE api.tokens (number bigserial PRIMARY KEY, token_sha256 bytea NOT NULL UNIQUE,
    name text NOT NULL REFERENCES api.users, scope text[] NOT NULL DEFAULT '{}', made_by text NOT NULL,
    made timestamptz NOT NULL DEFAULT now(), expires timestamptz, ended_by text, ended timestamptz);
CREATE INDEX tokens_in_force ON api.tokens (name) WHERE ended IS NULL;
INSERT INTO api.tokens (token_sha256, name, made_by) SELECT token_sha256, name, 'tokens_dir' FROM api.users;
ALTER TABLE api.users DROP COLUMN role, DROP COLUMN token_sha256;
)",
                       R"(
-- Of a follow-up's upload: whose people it tells again, and as of which moment of their ledger.
ALTER TABLE api.uploads ADD COLUMN frozen jsonb;
)",
                       R"(
-- Browsers. No secret stands here, only hashes; each row names the token that it stands and falls with.
CREATE TABLE api.session_codes (code_sha256 bytea PRIMARY KEY, token_sha256 bytea NOT NULL, expires timestamptz NOT NULL);
CREATE TABLE api.sessions (secret_sha256 bytea PRIMARY KEY, token_sha256 bytea NOT NULL,
    opened timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now());
)",
                       R"(
-- Sign-on: a person is the subject of an issuer, whatever they are called there later; the name is theirs here from the
-- first time on, and nobody's else. Such a session has no token behind it: it carries its user's name and the roles that
-- the provider's groups gave at the sign-in.
ALTER TABLE api.users ADD COLUMN issuer text, ADD COLUMN subject text,
    ADD CONSTRAINT whole_identity CHECK ((issuer IS NULL) = (subject IS NULL));
CREATE UNIQUE INDEX users_by_subject ON api.users (issuer, subject);
ALTER TABLE api.sessions ALTER COLUMN token_sha256 DROP NOT NULL, ADD COLUMN name text REFERENCES api.users,
    ADD COLUMN roles text[], ADD COLUMN authenticated timestamptz,
    ADD CONSTRAINT one_source CHECK ((token_sha256 IS NULL) = (name IS NOT NULL AND roles IS NOT NULL));
)",
                       R"(
-- Sessions are listed and ended by their number. peer: the address that signed in; seen_peer: that of the latest request.
ALTER TABLE api.sessions ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN peer text NOT NULL DEFAULT '', ADD COLUMN seen_peer text NOT NULL DEFAULT '';
)",
                       R"(
-- What people decided about campaigns, a row for each decision: found by person, and one row where the doubts of a
-- campaign are as many events as messages. Only added to, in the transaction of the step. No foreign key: it would take a
-- lock of the campaign, and whoever decides doubts must neither wait for a step nor hold one up.
CREATE TABLE api.decisions (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL, campaign text NOT NULL,
    what text NOT NULL, text text NOT NULL, messages bigint);
CREATE INDEX decisions_of_actor ON api.decisions (actor, number);
INSERT INTO api.decisions (at, actor, campaign, what, text)
    SELECT at, approver, campaign, 'approve', 'waves ' || array_to_string(waves, ', ') FROM api.approvals ORDER BY at;
)",
                       R"(
-- What the page that checks notices shows, and all of it: no row says anything about a person.
CREATE TABLE api.verifiable (code text NOT NULL, campaign text NOT NULL REFERENCES api.campaigns, channel text NOT NULL,
    locale text NOT NULL, since_us bigint NOT NULL, organisation text NOT NULL, name text NOT NULL, heading text NOT NULL,
    body text NOT NULL, passages jsonb NOT NULL, contact jsonb NOT NULL, PRIMARY KEY (campaign, channel, locale));
CREATE INDEX verifiable_by_code ON api.verifiable (code);
)"});
}

} // namespace semel::api::store
