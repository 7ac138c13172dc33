"""Judges a finished run: what the gateways accepted against what Semel says about it. Pure.

The invariants are numbered I1 to I12 as in the fault plan; L1 is the engine's own promise that a notification never
has two live records, G1 that of the dispatchers to speak their protocols, E1 that a policy decides by what is known, O1 that an
operator is obeyed and a deadline kept, R1 that a gateway that throttles is kept busy, S2 and S3 that everybody goes on in
little memory, T1 that tests are apart. A breach is a sentence with the numbers in it, and never an address or a name.
"""
from collections import Counter, defaultdict

from . import health
from .facts import (DOUBT_KINDS, Accept, Breach, Event, Evidence, Fault, Link, Story, Told, Verdict)  # noqa: F401

LEAKED = "a planted name or address stands in "

# From an operator's word, or a deadline, until every process has heard it and what was out is answered.
SAID_US = 5_000_000

# Faults after which a process goes on where it stood, and how many messages of a gateway it may have had in its hands.
STOPS = ("pause", "memory full", "disk full", "cut off")
IN_HAND = 100

# A policy decides by what was in Kafka when it asked; until its decision is a record there, so much more may come.
DECISION_MS = 5_000


# Of what a throttling gateway allows, so much must reach it while faults are done; and so many seconds' worth tell.
KEPT_BUSY = 0.5
SETTLED_S = 20


class Check:
    """One pass over the evidence; each method is one invariant."""

    def __init__(self, evidence):
        self.e = evidence
        self.breaches = []
        self.stories = {}
        self.at_key = {}
        for link in evidence.links:
            if link.role == "own":
                person = evidence.truth.by_row.get(link.row)
                key = evidence.truth.key(person, link.channel) if person else (link.channel, "")
                story = Story(link.notification, link.channel, key)
                if link.notification in self.stories:
                    self.breach("L1", f"notification {link.notification[:16]} is led by two rows")
                self.stories[link.notification] = story
                if key in self.at_key:
                    self.breach("L1", f"row {link.row} makes a second {link.channel} notification for one address")
                self.at_key[key] = story
        for event in evidence.events:
            if event.notification and event.notification in self.stories:
                story = self.stories[event.notification]
                story.kinds[event.kind] += 1
                story.by_attempt[event.attempt].append(event)
                if event.kind == "receipt":
                    story.reported.add(event.message_id)
                if event.kind == "accepted" and event.message_id:
                    # An SMS has the ids of its parts; a receipt that proves it, that of one part.
                    story.message_ids.update((event.gateway, one) for one in event.message_id.split(","))
        # An SMS of several parts came as often as the part that came most often; it is whole when all parts came.
        came = defaultdict(Counter)
        needed = {}
        for a in evidence.accepts:
            came[self.key(a)][a.part] += 1
            needed[self.key(a)] = a.parts
        self.counts = Counter({key: max(parts.values()) for key, parts in came.items()})
        self.parts = needed
        self.cut_short = {key for key, parts in came.items() if len(parts) < needed[key]}
        content = defaultdict(set)
        for a in evidence.accepts:
            content[self.key(a), a.part].add(a.sha256)
        self.differing = {key for (key, _), hashes in content.items() if len(hashes) > 1}
        self.lost = self.duplicate = self.wrong = 0

    def key(self, accept):
        """As Truth.key()."""
        return (accept.channel, accept.address, accept.owner) if self.e.truth.dedup == "account" else \
            (accept.channel, accept.address)

    def breach(self, invariant, text):
        self.breaches.append(Breach(invariant, text))

    def some(self, invariant, keys, text):
        """One sentence for many of a kind, with the first few notifications or rows."""
        keys = list(keys)
        if keys:
            shown = ", ".join(str(k)[:16] for k in keys[:5])
            self.breach(invariant, f"{len(keys)} {text} ({shown}{', ...' if len(keys) > 5 else ''})")

    def name(self, key):
        """An address as a message may show it: the notification, or the rows that have it."""
        if story := self.at_key.get(key):
            return story.notification
        rows = self.e.truth.addresses.get(key)
        return f"{key[0]} of row {rows[0]}" if rows else f"an unknown {key[0]} address"

    def nobody_twice(self):
        extra = []
        for key, count in self.counts.items():
            if key not in self.e.truth.addresses:
                extra.append((key, "a message to an address that is not in the audience"))
                continue
            allowed = 1
            if key in self.at_key and self.may_resend(self.at_key[key]):
                story = self.at_key[key]
                doubts = {a for a, events in story.by_attempt.items() if any(e.kind == "in_doubt" for e in events)}
                withdrawn = sum(e.code == "semel:superseded" for events in story.by_attempt.values() for e in events)
                allowed += min(story.kinds["resent"], len(doubts)) - withdrawn
            if count > allowed:
                self.duplicate += count - allowed
                extra.append((key, f"accepted {count} times"))
            elif key in self.differing:
                extra.append((key, "sent again with other content"))
        for text, keys in group(extra):
            self.some("I1", map(self.name, keys), text)

    def may_resend(self, story):
        """By policy; else only what an approver said may come again."""
        approved = any(e.kind == "resent" and e.code == "semel:approver" for events in story.by_attempt.values() for e in events)
        return self.e.policy == "resend" or approved and "resend" in self.e.decisions

    def outcomes_add_up(self):
        truth, report = self.e.truth, self.e.report
        coverage = report["coverage"]
        if sum(coverage.values()) != report["rows"]:
            self.breach("I2", f"the coverage's lines sum to {sum(coverage.values())}, rows are {report['rows']}")
        for line, expected in (("rejected", truth.rejected), ("repeated", truth.repeated),
                               ("unreachable", truth.unreachable), ("outstanding", 0)):
            if coverage[line] != expected:
                self.breach("I2", f"coverage.{line} is {coverage[line]}, expected {expected}")
        if report["rows"] != truth.rows:
            self.breach("I2", f"the report has {report['rows']} rows, the audience {truth.rows}")
        for channel, said in report["channels"].items():
            mine = Counter(s.outcome for s in self.stories.values() if s.channel == channel)
            planned = len(truth.on(channel))
            if said["planned"] != planned:
                self.breach("I2", f"{channel}: planned is {said['planned']}, the audience has {planned} addresses")
            if sum(mine.values()) != planned:
                self.breach("I2", f"{channel}: the ledger links {sum(mine.values())} notifications of {planned}")
            outstanding = self.e.status["channels"][channel].get("outstanding", 0)
            total = said["accepted"] + said["failed"] + said["in_doubt"] + outstanding
            if total != said["planned"]:
                self.breach("I2", f"{channel}: accepted {said['accepted']} + failed {said['failed']} + in doubt "
                                  f"{said['in_doubt']} + outstanding {outstanding} is {total}, planned {said['planned']}")
            told = mine["accepted"]
            if said["accepted"] != told:
                self.breach("I2", f"{channel}: the report says {said['accepted']} accepted, the events say {told}")
            if mine["outstanding"]:
                self.breach("I2", f"{channel}: {mine['outstanding']} notifications have no outcome")
            sharing = truth.covered(channel)
            if said["covered"] != sharing:
                self.breach("I2", f"{channel}: covered is {said['covered']}, {sharing} rows share a leader's address")

    def accepted_means_accepted(self):
        self.some("I3", (s.notification for s in self.stories.values()
                         if s.kinds["accepted"] and not self.counts[s.key]),
                  "notifications are accepted in the ledger and no gateway has them")
        self.some("I3", (s.notification for s in self.stories.values()
                         if s.kinds["accepted"] and s.key in self.cut_short),
                  "notifications are accepted in the ledger and the gateway has some of their parts only")
        # What only a report names may be spelled as reports spell it.
        addresses = {(a.gateway, form): a.address for a in self.e.accepts if a.message_id
                     for form in (spellings(a.message_id) if a.channel == "sms" else {a.message_id})}
        forms = lambda s, id: spellings(id) if s.channel == "sms" else {id}
        given = [(s, {addresses.get((gateway, form)) for form in forms(s, id)} - {None})
                 for s in self.stories.values() for gateway, id in s.message_ids]
        self.some("I3", (s.notification for s, found in given if not found),
                  "accepted events name a message id that its gateway never gave")
        self.some("I3", (s.notification for s, found in given if found and s.key[1] not in found),
                  "accepted events name the message id of somebody else's message")

    def failed_means_not_sent(self):
        self.some("I4", (s.notification for s in self.stories.values()
                         if s.outcome == "failed" and self.counts[s.key]),
                  "notifications are failed in the ledger and a gateway accepted them")
        for channel, said in self.e.report["channels"].items():
            proven = sum(s.channel == channel and s.outcome == "failed" for s in self.stories.values())
            if said["failed"] > proven:
                self.breach("I4", f"{channel}: the report says {said['failed']} failed; by their events {proven} were not "
                                  f"accepted, of the others a copy may have been")

    def doubt_is_bounded(self):
        """Each in-doubt event belongs to the last faults before it that touched its channel; those that came within a
        moment of each other share their bounds."""
        unexplained = defaultdict(list)
        for event in self.e.events:
            if event.kind != "in_doubt" or event.notification not in self.stories:
                continue
            at = self.time_of(event)
            before = [f for f in self.e.faults if f.time_us <= at + self.CLOCK_US and event.channel in f.bound]
            awaited = [self.time_of(e) for e in self.stories[event.notification].by_attempt[event.attempt] if e.kind == "awaiting"]
            if awaited and event.code == "semel:no-answer":
                # Said long after: the first fault that came while the answer was waited for ended the wait.
                before = [f for f in before if f.time_us >= min(awaited) - self.AWAITED_US][:1] or before
            if not before:
                unexplained[event.code].append(event.notification)
                continue
            before[-1].doubts[event.channel] += 1
        for code, notifications in unexplained.items():
            self.some("I5", notifications, f"notifications are in doubt ({code}) before any fault")
        for index, fault in enumerate(self.e.faults):
            for channel, n in fault.doubts.items():
                bound = self.allowance(index, channel)
                if bound is not None and n > bound:
                    self.breach("I5", f"{n} {channel} notifications in doubt after {fault.name} {fault.target}, "
                                      f"the bound is {bound}")

    def time_of(self, event):
        """A process whose clock was stepped by an hour writes events of an hour that no fault is near."""
        hour = 3_600_000_000
        if self.e.faults and event.time_us > self.e.faults[-1].time_us + hour // 2:
            return event.time_us - hour
        if self.e.faults and event.time_us < self.e.faults[0].time_us - hour // 2:
            return event.time_us + hour
        return event.time_us

    # Events have the broker's time, as their process knows it from ticks; a fault has this host's. A first fault was seen to
    # strike 4 ms after what it did.
    CLOCK_US = 50_000

    # A message is settled as awaiting some seconds after its last bytes went.
    AWAITED_US = 10_000_000

    # A restarted dispatcher needs up to a minute to take over; a fault within that time may find its doubts unsaid.
    TOGETHER_US = 60_000_000

    def allowance(self, index, channel):
        total = 0
        last = self.e.faults[index]
        for fault in self.e.faults[:index + 1]:
            if channel in fault.bound and last.time_us - fault.time_us <= self.TOGETHER_US:
                if fault.bound[channel] is None:
                    return None
                total += max(0, fault.bound[channel] - (fault.doubts[channel] if fault is not last else 0))
        return total

    def doubts_are_settled_rightly(self):
        for story in self.stories.values():
            count = self.counts[story.key]
            for attempt, events in story.by_attempt.items():
                kinds = {e.kind for e in events}
                if not kinds & {"in_doubt", "awaiting"}:
                    continue
                others = sum(a != attempt for a in story.open_copies)
                wrong = "accepted" in kinds and count == 0 or \
                    "failed" in kinds and count > others and not story.kinds["accepted"]
                if wrong:
                    self.wrong += 1
                    self.breach("I6", f"notification {story.notification[:16]} was in doubt and settled as "
                                      f"{'accepted' if 'accepted' in kinds else 'failed'}; gateways have it {count} times")
            if story.outcome == "in_doubt" and count > 1 + story.kinds["resent"]:
                self.breach("I6", f"notification {story.notification[:16]} is in doubt and was accepted {count} times")
        # The harness's message centres send receipts of what was delivered only, one for each part. Where the claims are
        # lost nothing knows how many parts there are, and of two attempts each may have come in part.
        self.some("I6", (s.notification for s in self.stories.values()
                         if s.outcome == "in_doubt" and s.reported and not s.kinds["resent"]
                         and len(s.reported) >= self.parts.get(s.key, 1)
                         and not any(e.code == "semel:claims-lost" for events in s.by_attempt.values() for e in events)),
                  "notifications are in doubt although receipts prove that they arrived")
        # Its time is up when all is at rest: then it was sent again, or is called unresolved, as is a resend in vain.
        self.some("I6", (s.notification for s in self.stories.values()
                         if s.outcome == "in_doubt" and s.last & {"in_doubt", "failed"} and "unresolved" not in s.last),
                  "notifications are in doubt and were left alone")
        presumed = {s.notification for s in self.stories.values() if s.outcome == "presumed_sent"}
        if "presume-sent" not in {self.e.policy, *self.e.decisions}:
            self.some("I6", presumed, "notifications are presumed sent, and neither policy nor approver said so")
        if self.e.policy != "resend" and "resend" not in self.e.decisions:
            self.some("I6", (s.notification for s in self.stories.values() if s.kinds["resent"]),
                      "notifications were sent again, and neither policy nor approver said so")
        open_now = presumed | {s.notification for s in self.stories.values() if s.outcome == "in_doubt"}
        listed = {d["notification"] for d in self.e.in_doubt}
        self.some("I6", open_now - listed, "notifications are in doubt and not listed")
        self.some("I6", listed - open_now, "listed doubts are not doubts in the events")

    def reports_are_understood(self):
        """In whatever form they spell an id; and those about other senders' messages are nobody's."""
        ours = {form for a in self.e.accepts if a.channel == "sms" for form in spellings(a.message_id)}
        self.some("I6", (s.notification for s in self.stories.values() if s.channel == "sms"
                         and any(not spellings(id) & ours for id in s.reported)),
                  "notifications have reports about messages that are not Semel's")
        if self.e.all_reported:
            self.some("I6", (s.notification for s in self.stories.values() if s.channel == "sms" and s.kinds["accepted"]
                             and not s.kinds["resent"] and any(not any(spellings(id) & spellings(said) for said in s.reported)
                                                               for _, id in s.message_ids)),
                      "notifications were reported as delivered by the message centre, part for part, and are not known as such")

    def ledger_is_the_topic(self):
        ledger = Counter(e.id for e in self.e.events)
        self.some("I7", (i for i, n in ledger.items() if n > 1), "events stand twice in the ledger")
        self.some("I7", set(self.e.topic_events) - set(ledger), "events of the topic are not in the ledger")
        self.some("I7", set(ledger) - set(self.e.topic_events), "rows of the ledger are in no event")

    def one_live_record(self):
        self.some("L1", (key[0] for key, n in self.e.dispatched.items() if n > 1), "notifications were dispatched twice")
        dispatched = {n for n, _ in self.e.dispatched}
        # What had not been released when its campaign ended is turned away where it is.
        self.some("L1", (n for n, s in self.stories.items() if n not in dispatched and not s.turned_away),
                  "planned notifications were never dispatched")
        self.some("L1", dispatched - set(self.stories), "dispatched notifications are in no row's links")
        # A record that only waits (for a rate, for a gateway) keeps its attempt and makes no event. A further attempt has
        # its reason in an event.
        self.some("L1", (n for n, attempt in self.e.retried
                         if attempt > 1 and n in self.stories and not self.reason(self.stories[n], attempt)),
                  "notifications have a further attempt that no event explains")
        if self.e.dead_letters:
            self.breach("L1", f"{self.e.dead_letters} records went to dead-letter")

    @staticmethod
    def reason(story, attempt):
        return any(e.kind == "deferred" for e in story.by_attempt.get(attempt - 1, ())) or \
            any(e.kind == "resent" for e in story.by_attempt.get(attempt, ()))

    def redis_says_the_same(self):
        expected = len(self.e.truth.ids()) + len(self.e.truth.addresses)
        if self.e.register_entries not in (None, expected):
            self.breach("I9", f"plan's register has {self.e.register_entries} entries, the audience {expected}")
        self.some("I9", self.e.heads_astray, "heads in Redis name another owner or marker than the committed offset, or another Redis")
        self.some("I9", (n for n in self.e.claims_accepted
                         if n in self.stories and not self.stories[n].kinds["accepted"]),
                  "claims say accepted and the ledger does not")

    def rates_are_kept(self):
        times = defaultdict(list)
        for accept in self.e.all_traffic:
            if accept.part == 1:
                times[accept.gateway].append(accept.time_us)
        for gateway, (limit, burst) in self.e.limits.items():
            at = sorted(times[gateway])
            first = most = 0
            for last, now in enumerate(at):
                while now - at[first] >= 1_000_000:
                    first += 1
                count = last - first + 1 - self.held_up(gateway, at[first], now)
                most = max(most, count)
            if most > limit + burst:
                self.breach("I10", f"{gateway} accepted {most} in one second, {limit} a second and {burst} at once are allowed")

    def throttled_gateways_are_kept_busy(self):
        for gateway, allowed in self.e.allowed.items():
            pace = pace_of(self.e, gateway)
            if pace is not None and pace < KEPT_BUSY * allowed:
                self.breach("R1", f"{gateway} allows {allowed} a second and was sent only {pace:.0f}")

    def everybody_goes_on(self):
        self.breaches += health.breaches(self.e.faults, self.e.memory)

    def held_up(self, gateway, first_us, last_us):
        """What a gateway that did not read for a while may have read at once, if that was in this second."""
        return max((f.held_up[gateway] for f in self.e.faults
                    if gateway in f.held_up and f.until_us - 500_000 <= last_us and first_us <= f.until_us + 500_000), default=0)

    def nothing_leaked(self):
        for where in self.e.leaks:
            self.breach("I11", LEAKED + where)

    def protocols_are_kept(self):
        # A provider refuses the token of a clock that is an hour late; nothing else of push looks at the clock.
        late = any(f.name == "clock" and f.target == "push" for f in self.e.faults)
        for gateway, (n, rule) in self.e.violations.items():
            if n and not (late and gateway.startswith("apns")):
                self.breach("G1", f"{gateway} saw {n} requests that break its protocol, the last one: {rule}")

    def nobody_forgotten(self):
        listed = set(self.e.unreached) | {d["recipient_id"] for d in self.e.in_doubt}
        told = {row for key in self.counts for row in self.e.truth.addresses.get(key, ())}
        self.some("I12", (f"row {p.row}" for p in self.e.truth.counted
                          if p.row not in told and p.recipient_id not in listed),
                  "people have no accepted message and stand in no list")
        for key in self.e.truth.addresses:
            story = self.at_key.get(key)
            if not self.counts[key] and (story is None or story.outcome not in ("failed", "in_doubt", "presumed_sent")):
                self.lost += 1
        if self.lost:
            self.breach("I12", f"{self.lost} addresses got nothing and are neither failed nor in doubt")

    def evidence_before_decision(self):
        named = lambda told: told.notification[:32]  # a return path has room for half of the name
        answered = {}
        for told in self.e.told:
            if told.what == "accepted":
                answered[named(told)] = min(told.time_ms, answered.get(named(told), told.time_ms))
        self.some("E1", (t.notification for t in self.e.told if t.what == "resent" and named(t) in answered
                         and answered[named(t)] + DECISION_MS < t.time_ms),
                  "notifications were sent again by policy although a record in Kafka already held the answer")

    def operator_is_obeyed(self):
        ended = {"semel:cancelled": "nobody cancelled the campaign"} if not self.was("cancel") else {}
        if self.e.deadline_us is None:
            ended["semel:expired"] = "its deadline is far away"
        for code, why in ended.items():
            self.some("O1", (s.notification for s in self.stories.values() for events in s.by_attempt.values()
                             for e in events if e.kind == "failed" and e.code == code),
                      f"notifications failed as {code.removeprefix('semel:')}, and {why}")
        for fault in self.e.faults:
            if fault.quiet_us and fault.campaign in ("", self.e.campaign):
                self.nobody_is_told(*fault.quiet_us, f"{fault.name} {fault.target}", fault.name == "cancel")
        if self.e.deadline_us is not None:
            self.nobody_is_told(self.e.deadline_us + SAID_US, 1 << 62, "the deadline", True)
            self.some("O1", (t.notification for t in self.e.told if t.what == "expired" and
                             t.time_ms * 1000 < self.e.deadline_us),
                      "notifications expired before their deadline, by the broker's clock")

    def was(self, name):
        return any(f.name == name and f.campaign in ("", self.e.campaign) for f in self.e.faults)

    def nobody_is_told(self, begins, ends, after, for_good):
        late = Counter(a.gateway for a in self.e.accepts if begins < a.time_us < ends and a.part == 1)
        for gateway, n in late.items():
            if n > self.held_up_between(gateway, begins, ends):
                self.breach("O1", f"{n} messages were accepted by {gateway} after {after}")
        if for_good:
            self.some("O1", (t.notification for t in self.e.told if t.what == "resent" and t.time_ms * 1000 > begins),
                      f"notifications were sent again by policy after {after}")

    def held_up_between(self, gateway, begins, ends):
        """What was on its way when it was said, and a fault let arrive later; or was in the hands of who stood still."""
        meanwhile = [f for f in self.e.faults if f.time_us < ends and f.until_us > begins - SAID_US]
        return sum(f.held_up.get(gateway, 0) for f in meanwhile) + (IN_HAND if any(f.name in STOPS for f in meanwhile) else 0)

    def tests_are_apart(self):
        """The messages of `semel campaign test`: each once, to whom it was meant for, marked, and in no count."""
        came = defaultdict(Counter)
        for a in self.e.tests:
            came[a.id, a.channel, a.address][a.part] += 1
            if a.marked is False and a.part == 1:
                self.breach("T1", f"a test came to {a.gateway} without its mark")
        self.some("T1", (n for (n, _, _), parts in came.items() if max(parts.values()) > 1), "tests were accepted twice")
        if len(self.e.tested) != len(self.e.testers):
            self.breach("T1", f"{len(self.e.tested)} tests were sent to {len(self.e.testers)} addresses of colleagues")
        missing = self.e.testers - {(channel, address) for _, channel, address in came}
        unsure = {e.notification for e in self.e.events if e.notification in self.e.tested and e.kind in ("in_doubt", "failed")}
        if len(missing) > len(unsure):
            self.breach("T1", f"{len(missing)} tests did not come, and {len(unsure)} are in doubt or failed")
        self.some("T1", self.e.tested & set(self.stories), "tests are somebody's notification in the audience")

    INVARIANTS = (nobody_twice, outcomes_add_up, accepted_means_accepted, failed_means_not_sent, doubt_is_bounded,
                  doubts_are_settled_rightly, reports_are_understood, ledger_is_the_topic, one_live_record, redis_says_the_same,
                  rates_are_kept, throttled_gateways_are_kept_busy, everybody_goes_on, nothing_leaked, protocols_are_kept,
                  nobody_forgotten, evidence_before_decision, operator_is_obeyed, tests_are_apart)


def pace_of(evidence, gateway):
    """What a gateway accepted a second, parts of an SMS one by one, from the tenth to the eightieth hundredth of it all: the
    dispatchers have found their pace, and more is waiting. None: too little to tell."""
    at = sorted(a.time_us for a in evidence.all_traffic if a.gateway == gateway)
    middle = at[len(at) // 10:len(at) * 8 // 10]
    if len(middle) < SETTLED_S * evidence.allowed[gateway]:
        return None
    return (len(middle) - 1) / ((middle[-1] - middle[0]) / 1e6)


def spellings(id):
    """An id as a centre may answer it and as it may report it."""
    plain = id.lower().lstrip("0")
    forms = {plain}
    if plain.isdigit():
        forms.add(f"{int(plain):x}")
    if plain and not plain.strip("0123456789abcdef"):
        forms.add(str(int(plain, 16)))
    return forms


def group(pairs):
    out = defaultdict(list)
    for key, text in pairs:
        out[text].append(key)
    return out.items()


def judge(evidence):
    """Campaigns that were told at once share their faults, and so the bounds of these."""
    before = [sum(f.doubts.values()) for f in evidence.faults]
    check = Check(evidence)
    for invariant in Check.INVARIANTS:
        invariant(check)
    outcomes = Counter(s.outcome for s in check.stories.values())
    return Verdict(check.breaches, sum(check.counts.values()), check.lost, check.duplicate, outcomes["in_doubt"], check.wrong,
                   sum(s.outcome == "failed" and s.turned_away for s in check.stories.values()),
                   [sum(f.doubts.values()) - n for f, n in zip(evidence.faults, before)])


def table(evidence, verdict, seed):
    """The one table of a run, with what it takes to run it again."""
    rows = [("fault", "count", "in doubt", "bound", "recovery s (worst)")]
    by_name, doubts = defaultdict(list), Counter()
    for fault, n in zip(evidence.faults, verdict.doubts):
        by_name[f"{fault.name} {fault.target}"].append(fault)
        doubts[f"{fault.name} {fault.target}"] += n
    for name, faults in by_name.items():
        bounds = [b for f in faults for b in f.bound.values()]
        bound = "-" if not bounds else "listed" if None in bounds else str(sum(bounds))
        recoveries = [f.recovery_s for f in faults if f.recovery_s is not None]
        rows.append((name, str(len(faults)), str(doubts[name]), bound,
                     f"{max(recoveries):.1f}" if recoveries else "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(widths[0]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)).rstrip()
             for row in rows]
    for gateway, allowed in evidence.allowed.items():
        pace = pace_of(evidence, gateway)
        lines.append(f"{gateway} allowed {allowed} a second and accepted " + ("too little to tell" if pace is None else f"{pace:.0f}"))
    if evidence.memory:
        name, mib = max(evidence.memory.items(), key=lambda one: one[1])
        lines.append(f"{name} held the most memory: {mib:,.0f} MiB")
    lines.append("")
    turned_away = f", turned away {verdict.turned_away}" if verdict.turned_away else ""
    lines.append(f"planned {len(evidence.truth.addresses)}, accepted {verdict.accepted}{turned_away}, lost {verdict.lost}, "
                 f"duplicate {verdict.duplicate}, in doubt now {verdict.in_doubt}, wrong resolutions {verdict.wrong}; "
                 f"policy {evidence.policy}, seed {seed}")
    lines += [f"BREACH {b}" for b in verdict.breaches]
    return "\n".join(lines)
