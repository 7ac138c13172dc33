"""Reads the ledger's tables, and none of its functions: what they compute is what is to be checked."""
import csv
import io
import subprocess

from .checker import Event, Link
from .stack import Failed

CHANNELS = {1: "email", 2: "push", 3: "sms"}
KINDS = {1: "recipient", 2: "recipient_repeated", 10: "accepted", 11: "failed", 12: "deferred", 13: "awaiting",
         14: "in_doubt", 15: "resent", 16: "presumed_sent", 17: "unresolved", 18: "resolved", 20: "receipt",
         21: "dead_letter", 30: "wave_sealed", 31: "operator", 32: "wave_dropped"}
ROLES = {0: "own", 1: "covered", 2: "told_earlier"}


def rows(dsn, query, **values):
    words = ["psql", "--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set", "ON_ERROR_STOP=1", f"--dbname={dsn}"]
    for name, value in values.items():
        words += ["--set", f"{name}={value}"]
    # From standard input: psql replaces :'variables' there, and not in --command.
    done = subprocess.run(words, input=query, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)
    if done.returncode != 0:
        raise Failed(f"psql: {done.stderr[-300:]}")
    return csv.reader(io.StringIO(done.stdout))


def number(dsn, campaign):
    found = [row[0] for row in rows(dsn, "SELECT number FROM ledger.campaigns WHERE id = :'id'", id=campaign)]
    if not found:
        raise Failed(f"the ledger has never heard of campaign {campaign}")
    return int(found[0])


def events(dsn, campaign):
    """Rows become events of their own table; both tables together are the topic."""
    n = number(dsn, campaign)
    out = [Event(id, KINDS.get(int(kind), kind), CHANNELS.get(int(channel), ""), notification, int(attempt), gateway, code,
                 message_id, int(time))
           for id, kind, channel, notification, attempt, gateway, code, message_id, time in rows(
               dsn, "SELECT encode(id, 'hex'), kind, channel, encode(notification, 'hex'), attempt, gateway, code,"
                    " gateway_message_id, time_us FROM ledger.events WHERE campaign = :n ORDER BY time_us", n=n)]
    out += [Event(id, "recipient_repeated" if repeated == "t" else "recipient", time_us=int(time))
            for id, repeated, time in rows(
                dsn, "SELECT encode(id, 'hex'), rejected, time_us FROM ledger.recipients WHERE campaign = :n", n=n)]
    return out


def how_many(dsn, campaign):
    """As many as events() has."""
    n = number(dsn, campaign)
    return sum(int(row[0]) for table in ("events", "recipients")
               for row in rows(dsn, f"SELECT count(*) FROM ledger.{table} WHERE campaign = :n", n=n))


def event_ids(dsn, campaigns):
    return {row[0] for n in (number(dsn, one) for one in campaigns) for table in ("events", "recipients")
            for row in rows(dsn, f"SELECT encode(id, 'hex') FROM ledger.{table} WHERE campaign = :n", n=n)}


def links(dsn, campaign):
    return [Link(int(row), CHANNELS[int(channel)], notification, ROLES[int(role)])
            for row, channel, notification, role in rows(
                dsn, "SELECT r.row, l.channel, encode(l.notification, 'hex'), l.role FROM ledger.recipients r,"
                     " unnest(r.channels, r.notifications, r.roles) AS l(channel, notification, role)"
                     " WHERE r.campaign = :n", n=number(dsn, campaign))]
