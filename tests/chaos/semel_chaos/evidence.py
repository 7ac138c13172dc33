"""Gathers everything that the checker joins, from a stack that has come to rest."""
import csv
import io
import re
import subprocess
import time
from collections import Counter, defaultdict

from . import kafka, ledger, people, redis
from .attribution import Claimant, share
from .checker import Accept, Evidence, Told
from .gateways import read_accepted
from .stack import DISPATCHERS, Failed, wait_for


# Longer than any wait of a campaign of the harness in which nothing is to be retried and no doubt is open: a Kafka that
# was away, a take-over.
QUIET_S = 90


def settle(stack, campaign, seconds):
    """Waits until the campaign has ended and the ledger has every event of it."""
    ended(stack, campaign, seconds)
    catch_up(stack, [campaign])


def ended(stack, campaign, seconds):
    """Waits for a campaign's end. Where nothing moves any more, what is outstanding is lost: that is for the checker to say."""
    moved = [None, 0.0]

    def at_rest_for_good():
        status = stack.patient_json("campaign", "status", campaign)
        if status["state"] == "finished":
            return True
        if status["state"] == "cancelled" and all(said.get("outstanding", 0) == 0 and said["in_doubt"] <= said.get("unresolved", 0)
                                                  for said in status["channels"].values()):
            return True  # its rows are accounted for
        counts = [(name, said["accepted"], said["failed"], said.get("retrying", 0), said["in_doubt"], said.get("outstanding", 0))
                  for name, said in status["channels"].items()]
        if counts != moved[0]:
            moved[:] = counts, time.monotonic()
        waiting = any(said.get("retrying", 0) or said["in_doubt"] > said.get("unresolved", 0)
                      for said in status["channels"].values())
        return not waiting and time.monotonic() - moved[1] > QUIET_S
    wait_for(f"campaign {campaign} has ended (`semel campaign status {campaign}`)", at_rest_for_good, seconds, every=1)


def catch_up(stack, campaigns, since_us=0):
    """Waits for the ledger. One that lost an event never catches up: that is for the checker to say."""
    def caught_up():
        topic = {id for id, _, _, at in kafka.events(stack.bootstrap, since_us) if at in campaigns}
        return topic <= ledger.event_ids(stack.dsn, campaigns)
    try:
        wait_for("the ledger has every event", caught_up, 60, every=1)
    except Failed:
        pass


def gather(stack, campaigns, faults, elsewhere=frozenset(), since_us=0, last=True):
    """Of campaigns that were told at once, one Evidence for each. `elsewhere`: the addresses of earlier campaigns'
    audiences; whatever else was accepted since `since_us`, when the first of them began, belongs to these. `last`: of a run;
    then what leaked is looked for, of all campaigns."""
    bootstrap = stack.bootstrap
    dispatched, retried, tested = defaultdict(Counter), defaultdict(Counter), defaultdict(set)
    for topics, counts in ((kafka.DISPATCH, dispatched), (kafka.RETRY, retried)):
        for at, notification, attempt, test in kafka.dispatches(bootstrap, topics):
            if test:
                tested[at].add(notification)
            else:
                counts[at][notification, attempt] += 1
    told = defaultdict(list)
    for at, *one in kafka.told(bootstrap, since_us):
        told[at].append(Told(*one))
    named = [Told(*one) for one in kafka.named(bootstrap)]
    heads_astray, claims_accepted = claims(stack)
    at_end = {c.id: at_rest(stack, c.id) for c in campaigns}
    count_in_topic(stack, at_end, since_us)
    claimants = [Claimant(c.truth, ledger.links(stack.dsn, c.id), message_ids(at_end[c.id]["events"]), frozenset(tested[c.id]),
                          c.testers) for c in campaigns]
    came = [a for a in accepted(stack) if a.time_us >= since_us and (a.channel, a.address) not in elsewhere]
    mine, tests = share(came, claimants)
    whole = {"dead_letters": sum(1 for _ in kafka.records(bootstrap, "dead-letter")), "faults": faults,
             "limits": {name: (rate, at_once(rate, stack.watch.worst_s)) for name, rate in stack.rates.items()},
             "allowed": dict(stack.allowed), "traffic": came,
             "heads_astray": heads_astray, "claims_accepted": claims_accepted}
    out = []
    for c, claimant, accepts, of_tests in zip(campaigns, claimants, mine, tests):
        entries, head = redis.register(stack.port("redis"), c.id)
        out.append(Evidence(
            truth=c.truth, policy=c.policy, campaign=c.id, accepts=accepts, links=claimant.links,
            dispatched=dispatched[c.id], retried=retried[c.id], told=told[c.id] + named,
            # After a loss the register is filled again only when release still needs it: then its head names no spans.
            register_entries=entries if head - 2 >= 8 else None,
            deadline_us=None if c.deadline is None else c.deadline * 1_000_000, decisions=frozenset(c.decisions),
            all_reported=c.all_reported, tests=of_tests, tested=claimant.tested, testers=c.testers, **whole, **at_end[c.id]))
    # Of the whole stack: said once.
    out[0].leaks, out[0].violations = leaks(stack) if last else [], violations(stack)
    return out


def message_ids(events):
    """(gateway, id that it gave) -> notification, by what the ledger calls accepted."""
    return {(e.gateway, one): e.notification for e in events if e.kind == "accepted" for one in e.message_id.split(",") if one}


def violations(stack):
    """By gateway, since the last look: how many requests broke its protocol, and what the last one did. What a fault
    excuses belongs to the campaign that had the fault."""
    out = {}
    for one in stack.control.counts():
        if "violations" in one:
            name, n = one["listener"], one["violations"]
            out[name] = (n - stack.violations_seen.get(name, 0), one["last_violation"])
            stack.violations_seen[name] = n
    return out


def at_rest(stack, campaign):
    """What the api and the ledger say, all of one moment: late evidence may settle a doubt at any time."""
    def ask():
        before = ledger.how_many(stack.dsn, campaign)
        answers = {"report": stack.json("campaign", "report", campaign), "status": stack.json("campaign", "status", campaign),
                   "in_doubt": stack.json("in-doubt", "list", campaign), "unreached": unreached(stack, campaign)}
        # The events last: reading those of a million messages takes longer than it is often quiet for.
        return ledger.how_many(stack.dsn, campaign) == before and \
            len(events := ledger.events(stack.dsn, campaign)) == before and {**answers, "events": events}
    return wait_for("the ledger is at rest for a moment", ask, 300, every=0.5)


def count_in_topic(stack, at_end, since_us):
    """Adds the topic's events to what was at rest."""
    topic = defaultdict(Counter)
    for id, _, _, at in kafka.events(stack.bootstrap, since_us):
        topic[at][id] += 1
    later = {at: set(topic[at]) - {e.id for e in said["events"]} for at, said in at_end.items()}
    # What came after its moment is not in these answers either, unless it is lost: for the checker to say.
    try:
        wait_for("later events come to the ledger",
                 lambda: set().union(*later.values()) <= ledger.event_ids(stack.dsn, list(at_end)), 20, every=0.5)
    except Failed:
        later = dict.fromkeys(at_end, set())
    for at, said in at_end.items():
        said["topic_events"] = Counter({id: n for id, n in topic[at].items() if id not in later[at]})


# The limit is kept where tokens are spent, and seen where messages arrive: what a busy machine held up between the two
# arrives at once. Two cores with a dozen processes hold it up for some hundred milliseconds; a busier machine, for as
# long as the stack's watch has seen.
HELD_UP_S = 0.4


def at_once(per_second, seen_s=0.0):
    """A slice of a tenth of a second, and what was held up."""
    return max(1, round(per_second * (0.1 + max(HELD_UP_S, seen_s))))


def accepted(stack):
    """Every message that a gateway accepted, whole."""
    return [Accept(**fields) for gateway, file in stack.gateway_files().items()
            for fields in read_accepted(gateway, file)]


def unreached(stack, campaign):
    """The recipient ids of the report's list of people whom nobody could reach."""
    text = stack.semel("campaign", "report", campaign, "--unreached", "-")
    return [row["recipient_id"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def claims(stack):
    """Heads that differ from the committed offsets or name a Redis that is gone, and notifications whose claim says that a
    gateway accepted."""
    server = redis.server(stack.port("redis"))
    offsets = kafka.committed(stack.bootstrap, DISPATCHERS)
    astray, told = [], set()
    for entry in redis.claims(stack.port("redis")):
        topic, partition = re.match(r"\{d:(.+):(\d+)\}", entry["key"]).groups()
        if "owner" in entry:
            metadata = next((m for (_, t, p), (_, m) in offsets.items() if (t, p) == (topic, int(partition))), "")
            said = kafka.checkpoint(metadata)
            if said and (str(said[0]), said[1].hex(), server) != (entry["owner"], entry["marker"], entry["server"]):
                astray.append(f"{topic}:{partition}")
        elif entry["value"] == "6f30":  # "o0": accepted
            told.add(entry["field"][:64])
    return astray, told


def leaks(stack):
    """Where a planted name or address stands: logs, Redis' files, what the ledger keeps, Kafka's records."""
    found = []
    for file in sorted(path for folder in ("log", "data/redis") for path in (stack.dir / folder).rglob("*")):
        if file.is_file():
            for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
                if marked(line):
                    found.append(f"{file.relative_to(stack.dir)}:{number}")
                    break
    def look(topic):
        return next((f"topic {topic}, partition {partition}, offset {offset}"
                     for partition, offset, key, value in kafka.records(stack.bootstrap, topic)
                     if marked(key or b"") or marked(value or b"")), None)
    found += [where for where in kafka.each(kafka.PERSONAL, look) if where]
    dump = subprocess.run(["pg_dump", "--data-only", "--inserts", f"--dbname={stack.dsn}"], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
    if dump.returncode != 0:
        raise Failed(f"pg_dump: {dump.stderr[-300:].decode(errors='replace')}")
    for line in dump.stdout.split(b"\n"):
        if marked(line):
            found.append("PostgreSQL: " + line[:line.find(b"VALUES")].decode(errors="replace").strip())
            break
    return found


def marked(data):
    return any(mark.search(data) for mark in people.MARKS)
