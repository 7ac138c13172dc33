"""Judges a finished run: what the gateways accepted against what Semel says about it. Pure.

The invariants are numbered I1 to I12 as in the fault plan; L1 is the engine's own promise that a notification never
has two live records, G1 that of the dispatchers to speak their protocols, E1 that a policy decides by what is known, O1 that an
operator is obeyed. A breach is a sentence with the numbers in it, and never an address or a name.
"""
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .people import CHANNELS

DOUBT_KINDS = ("in_doubt", "awaiting", "unresolved")

# A policy decides by what was in Kafka when it asked; until its decision is a record there, so much more may come.
DECISION_MS = 5_000


@dataclass(frozen=True)
class Accept:
    """One message that a gateway accepted, or one part of an SMS."""

    channel: str
    gateway: str  # its name in semel.yaml
    address: str  # canonical
    message_id: str  # as the gateway answered
    time_us: int
    part: int = 1
    parts: int = 1
    sha256: str = ""


@dataclass(frozen=True)
class Event:
    """One row of the ledger."""

    id: str
    kind: str
    channel: str = ""
    notification: str = ""
    attempt: int = 0
    gateway: str = ""
    code: str = ""
    message_id: str = ""
    time_us: int = 0


@dataclass(frozen=True)
class Told:
    """A record in Kafka that says of a notification that it was accepted, or that its doubt was sent again by policy;
    with the broker's time of it."""

    notification: str  # of a report: perhaps its first half
    what: str  # accepted, or resent
    time_ms: int
    attempt: int = 0


@dataclass(frozen=True)
class Link:
    """What plan made of a row's address."""

    row: int
    channel: str
    notification: str
    role: str  # own, covered, told_earlier


@dataclass
class Fault:
    """One fault as it was done. `bound`: how many notifications it may put in doubt, by channel; None: any number."""

    name: str
    target: str
    time_us: int
    bound: dict = field(default_factory=dict)
    recovery_s: float | None = None
    until_us: int = 0  # when it was over
    held_up: dict = field(default_factory=dict)  # gateway -> messages that it, or the way to it, lets through at its end
    quiet_us: tuple | None = None  # from when to when nobody may be told
    doubts: Counter = field(default_factory=Counter)


@dataclass(frozen=True)
class Breach:
    invariant: str
    text: str

    def __str__(self):
        return f"{self.invariant}: {self.text}"


@dataclass
class Evidence:
    truth: object
    policy: str  # hold or resend
    accepts: list
    events: list
    links: list
    report: dict
    status: dict
    in_doubt: list
    unreached: list  # recipient ids of the report's list
    topic_events: Counter = field(default_factory=Counter)  # event id -> how often it is in Kafka
    dispatched: Counter = field(default_factory=Counter)  # (notification, attempt) -> records in dispatch.*
    retried: Counter = field(default_factory=Counter)  # (notification, attempt) -> records in retry.*
    told: list = field(default_factory=list)  # answers and resends as they came to Kafka
    dead_letters: int = 0
    faults: list = field(default_factory=list)
    limits: dict = field(default_factory=dict)  # gateway -> (per second, at once)
    register_entries: int | None = None  # what plan keeps in Redis; None: forgotten, as it may be
    heads_astray: list = field(default_factory=list)  # partitions whose head in Redis is not what Kafka says
    claims_accepted: set = field(default_factory=set)  # notifications whose claim says that a gateway accepted
    leaks: list = field(default_factory=list)  # where a mark was found
    violations: dict = field(default_factory=dict)  # gateway -> how often a dispatcher broke its protocol, and the last rule


@dataclass
class Story:
    """One notification, from its own row's link and its events."""

    notification: str
    channel: str
    address: str
    kinds: Counter = field(default_factory=Counter)
    by_attempt: dict = field(default_factory=lambda: defaultdict(list))
    message_ids: set = field(default_factory=set)
    reported: set = field(default_factory=set)  # message ids that receipts named

    def kinds_of(self, attempt):
        return {e.kind for e in self.by_attempt[attempt]}

    @property
    def last(self):
        return self.kinds_of(max(self.by_attempt)) if self.by_attempt else set()

    @property
    def open_copies(self):
        """Attempts whose last bytes were out and of which nothing says whether they were accepted."""
        return [a for a in self.by_attempt if self.kinds_of(a) & {"in_doubt", "awaiting"}
                and not self.kinds_of(a) & {"accepted", "failed", "deferred"}]

    @property
    def outcome(self):
        if self.kinds["accepted"]:
            return "accepted"
        last = self.last
        # What became of a resend says nothing about the copy before it.
        if "failed" in last and not self.open_copies:
            return "failed"
        if "presumed_sent" in last:
            return "presumed_sent"
        if "failed" in last or last & set(DOUBT_KINDS):
            return "in_doubt"
        return "outstanding"


@dataclass
class Verdict:
    breaches: list
    accepted: int = 0
    lost: int = 0
    duplicate: int = 0
    in_doubt: int = 0
    wrong: int = 0

    @property
    def ok(self):
        return not self.breaches


class Check:
    """One pass over the evidence; each method is one invariant."""

    def __init__(self, evidence):
        self.e = evidence
        self.breaches = []
        self.stories = {}
        self.at_address = {}
        for link in evidence.links:
            if link.role == "own":
                person = evidence.truth.by_row.get(link.row)
                address = person.address(link.channel) if person else ""
                story = Story(link.notification, link.channel, address)
                if link.notification in self.stories:
                    self.breach("L1", f"notification {link.notification[:16]} is led by two rows")
                self.stories[link.notification] = story
                if (link.channel, address) in self.at_address:
                    self.breach("L1", f"row {link.row} makes a second {link.channel} notification for one address")
                self.at_address[link.channel, address] = story
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
            came[a.channel, a.address][a.part] += 1
            needed[a.channel, a.address] = a.parts
        self.counts = Counter({key: max(parts.values()) for key, parts in came.items()})
        self.parts = needed
        self.cut_short = {key for key, parts in came.items() if len(parts) < needed[key]}
        content = defaultdict(set)
        for a in evidence.accepts:
            content[a.channel, a.address, a.part].add(a.sha256)
        self.differing = {key[:2] for key, hashes in content.items() if len(hashes) > 1}
        self.lost = self.duplicate = self.wrong = 0

    def breach(self, invariant, text):
        self.breaches.append(Breach(invariant, text))

    def some(self, invariant, keys, text):
        """One sentence for many of a kind, with the first few notifications or rows."""
        keys = list(keys)
        if keys:
            shown = ", ".join(str(k)[:16] for k in keys[:5])
            self.breach(invariant, f"{len(keys)} {text} ({shown}{', ...' if len(keys) > 5 else ''})")

    def name(self, channel, address):
        """An address as a message may show it: the notification, or the rows that have it."""
        story = self.at_address.get((channel, address))
        if story:
            return story.notification
        rows = self.e.truth.addresses.get((channel, address))
        return f"{channel} of row {rows[0]}" if rows else f"an unknown {channel} address"

    def nobody_twice(self):
        extra = []
        for key, count in self.counts.items():
            if key not in self.e.truth.addresses:
                extra.append((key, "a message to an address that is not in the audience"))
                continue
            allowed = 1
            if self.e.policy == "resend" and key in self.at_address:
                story = self.at_address[key]
                doubts = {a for a, events in story.by_attempt.items() if any(e.kind == "in_doubt" for e in events)}
                withdrawn = sum(e.code == "semel:superseded" for events in story.by_attempt.values() for e in events)
                allowed += min(story.kinds["resent"], len(doubts)) - withdrawn
            if count > allowed:
                self.duplicate += count - allowed
                extra.append((key, f"accepted {count} times"))
            elif key in self.differing:
                extra.append((key, "sent again with other content"))
        for text, keys in group(extra):
            self.some("I1", (self.name(*k) for k in keys), text)

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
                         if s.kinds["accepted"] and not self.counts[s.channel, s.address]),
                  "notifications are accepted in the ledger and no gateway has them")
        self.some("I3", (s.notification for s in self.stories.values()
                         if s.kinds["accepted"] and (s.channel, s.address) in self.cut_short),
                  "notifications are accepted in the ledger and the gateway has some of their parts only")
        known = {(a.gateway, a.message_id) for a in self.e.accepts if a.message_id}
        addresses = {(a.gateway, a.message_id): a.address for a in self.e.accepts if a.message_id}
        self.some("I3", (s.notification for s in self.stories.values()
                         for key in s.message_ids if key not in known),
                  "accepted events name a message id that its gateway never gave")
        self.some("I3", (s.notification for s in self.stories.values()
                         for key in s.message_ids if key in known and addresses[key] != s.address),
                  "accepted events name the message id of somebody else's message")

    def failed_means_not_sent(self):
        self.some("I4", (s.notification for s in self.stories.values()
                         if s.outcome == "failed" and self.counts[s.channel, s.address]),
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
            before = [f for f in self.e.faults if f.time_us <= at and event.channel in f.bound]
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
            count = self.counts[story.channel, story.address]
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
                         and len(s.reported) >= self.parts.get((s.channel, s.address), 1)
                         and not any(e.code == "semel:claims-lost" for events in s.by_attempt.values() for e in events)),
                  "notifications are in doubt although receipts prove that they arrived")
        # Its time is up when all is at rest: then it was sent again, or is called unresolved, as is a resend in vain.
        self.some("I6", (s.notification for s in self.stories.values()
                         if s.outcome == "in_doubt" and s.last & {"in_doubt", "failed"} and "unresolved" not in s.last),
                  "notifications are in doubt and were left alone")
        open_now = {s.notification for s in self.stories.values() if s.outcome == "in_doubt"}
        listed = {d["notification"] for d in self.e.in_doubt}
        self.some("I6", open_now - listed, "notifications are in doubt and not listed")
        self.some("I6", listed - open_now, "listed doubts are none in the events")

    def ledger_is_the_topic(self):
        ledger = Counter(e.id for e in self.e.events)
        self.some("I7", (i for i, n in ledger.items() if n > 1), "events stand twice in the ledger")
        self.some("I7", set(self.e.topic_events) - set(ledger), "events of the topic are not in the ledger")
        self.some("I7", set(ledger) - set(self.e.topic_events), "rows of the ledger are in no event")

    def one_live_record(self):
        self.some("L1", (key[0] for key, n in self.e.dispatched.items() if n > 1), "notifications were dispatched twice")
        dispatched = {n for n, _ in self.e.dispatched}
        self.some("L1", set(self.stories) - dispatched, "planned notifications were never dispatched")
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
        for accept in self.e.accepts:
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

    def held_up(self, gateway, first_us, last_us):
        """What a gateway that did not read for a while may have read at once, if that was in this second."""
        return max((f.held_up[gateway] for f in self.e.faults
                    if gateway in f.held_up and f.until_us - 500_000 <= last_us and first_us <= f.until_us + 500_000), default=0)

    def nothing_leaked(self):
        for where in self.e.leaks:
            self.breach("I11", f"a planted name or address stands in {where}")

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
            story = self.at_address.get(key)
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
        for fault in self.e.faults:
            if fault.quiet_us:
                begins, ends = fault.quiet_us
                told = sum(begins < a.time_us < ends for a in self.e.accepts)
                if told:
                    self.breach("O1", f"{told} messages were accepted after {fault.name} {fault.target}")
                if fault.name == "cancel":
                    self.some("O1", (t.notification for t in self.e.told if t.what == "resent" and t.time_ms * 1000 > begins),
                              "notifications were sent again by policy after the campaign was cancelled")
        if not any(fault.name == "cancel" for fault in self.e.faults):
            self.some("O1", (s.notification for s in self.stories.values() for events in s.by_attempt.values()
                             for e in events if e.kind == "failed" and e.code == "semel:cancelled"),
                      "notifications failed as cancelled, and nobody cancelled the campaign")

    INVARIANTS = (nobody_twice, outcomes_add_up, accepted_means_accepted, failed_means_not_sent, doubt_is_bounded,
                  doubts_are_settled_rightly, ledger_is_the_topic, one_live_record, redis_says_the_same,
                  rates_are_kept, nothing_leaked, protocols_are_kept, nobody_forgotten,
                  evidence_before_decision, operator_is_obeyed)


def group(pairs):
    out = defaultdict(list)
    for key, text in pairs:
        out[text].append(key)
    return out.items()


def judge(evidence):
    check = Check(evidence)
    for invariant in Check.INVARIANTS:
        invariant(check)
    outcomes = Counter(s.outcome for s in check.stories.values())
    return Verdict(check.breaches, sum(check.counts.values()), check.lost, check.duplicate, outcomes["in_doubt"], check.wrong)


def table(evidence, verdict, seed):
    """The one table of a run, with what it takes to run it again."""
    rows = [("fault", "count", "in doubt", "bound", "recovery s (worst)")]
    by_name = defaultdict(list)
    for fault in evidence.faults:
        by_name[f"{fault.name} {fault.target}"].append(fault)
    for name, faults in by_name.items():
        bounds = [b for f in faults for b in f.bound.values()]
        bound = "-" if not bounds else "listed" if None in bounds else str(sum(bounds))
        recoveries = [f.recovery_s for f in faults if f.recovery_s is not None]
        rows.append((name, str(len(faults)), str(sum(sum(f.doubts.values()) for f in faults)), bound,
                     f"{max(recoveries):.1f}" if recoveries else "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(widths[0]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)).rstrip()
             for row in rows]
    lines.append("")
    lines.append(f"planned {len(evidence.truth.addresses)}, accepted {verdict.accepted}, lost {verdict.lost}, "
                 f"duplicate {verdict.duplicate}, in doubt now {verdict.in_doubt}, wrong resolutions {verdict.wrong}; "
                 f"policy {evidence.policy}, seed {seed}")
    lines += [f"BREACH {b}" for b in verdict.breaches]
    return "\n".join(lines)
