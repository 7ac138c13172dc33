"""What a finished run is judged by: what the gateways accepted, what Semel says about it, and what was done to it. Pure."""
from collections import Counter, defaultdict
from dataclasses import dataclass, field

DOUBT_KINDS = ("in_doubt", "awaiting", "unresolved")


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
    id: str = ""  # the notification that the message itself names; of an SMS its first four hex digits
    owner: str = ""  # the recipient id whose account it is for, where accounts are told
    marked: bool | None = None  # as a test; None: its content was not kept


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
    """A record in Kafka that says of a notification that it was accepted, that its doubt was sent again by policy, or that
    it came too late; with the broker's time of it."""

    notification: str  # of a report: perhaps its first half
    what: str  # accepted, resent or expired
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
    still: tuple = ()  # channels on which nothing was accepted afterwards, although they had more to send
    still_us: tuple = ()  # from when to when
    until_us: int = 0  # when it was over
    held_up: dict = field(default_factory=dict)  # gateway -> messages that it, or the way to it, lets through at its end
    quiet_us: tuple | None = None  # from when to when nobody may be told
    campaign: str = ""  # the one that it is done to; empty: to all
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
    policy: str  # hold, resend or presume-sent
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
    allowed: dict = field(default_factory=dict)  # gateway -> submissions a second that it took, refusing more as too fast
    register_entries: int | None = None  # what plan keeps in Redis; None: forgotten, as it may be
    heads_astray: list = field(default_factory=list)  # partitions whose head in Redis is not what Kafka says
    claims_accepted: set = field(default_factory=set)  # notifications whose claim says that a gateway accepted
    memory: dict = field(default_factory=dict)  # process -> the most that it held, in MiB
    leaks: list = field(default_factory=list)  # where a mark was found
    violations: dict = field(default_factory=dict)  # gateway -> how often a dispatcher broke its protocol, and the last rule
    campaign: str = ""
    deadline_us: int | None = None  # one that may pass while it is sent
    decisions: frozenset = frozenset()  # what an approver said about doubts: resend, presume-sent
    traffic: list | None = None  # what the gateways accepted of all campaigns meanwhile; None: of this one alone
    all_reported: bool = False  # the message centre reports on each of its messages that it was delivered
    tests: list = field(default_factory=list)  # accepted messages of `semel campaign test`
    tested: frozenset = frozenset()  # notifications of tests
    testers: set = field(default_factory=set)  # (channel, address) of the colleagues who are to get them

    @property
    def all_traffic(self):
        return self.accepts if self.traffic is None else self.traffic


@dataclass
class Story:
    """One notification, from its own row's link and its events."""

    notification: str
    channel: str
    key: tuple  # what it is for: Truth.key()
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
    def turned_away(self):
        """Its campaign was cancelled, or its deadline passed, before it was sent."""
        return any(e.kind == "failed" and e.code in ("semel:cancelled", "semel:expired") for e in self.by_attempt.get(1, ()))

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
    turned_away: int = 0  # cancelled, or past the deadline
    doubts: list = field(default_factory=list)  # of each fault, how many this campaign had

    @property
    def ok(self):
        return not self.breaches
