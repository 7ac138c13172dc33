"""Faults by name, in the words in which they print themselves: "kill email", "failpoint sms delivery.claim.taken:5",
"pause push 60 s", "cut relay-a reply at 3 silently". Pure.

Two that overlap are joined by " + " (the second comes a second later). "add: ", "seal: " or "launch: " in front has a
fault struck just before that step of the campaign; a failpoint that only a step passes needs no such word.
"wait 8" lets what was done before come to its end.
"""
import re
from dataclasses import dataclass

from . import faults, schedule
from .gateways import GATEWAYS
from .proxy import REPLY, REQUEST
from .stack import BACKING, DISPATCHERS, SERVICES

STEPS = ("create", "add", "seal", "launch")
GAP_S = 1.0
NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)s?")
REMARK = re.compile(r" \(not reached: killed\)")  # of a failpoint, afterwards


class Wrong(ValueError):
    """A spec that names no fault; the sentence says what would."""


@dataclass(frozen=True)
class Order:
    """One step of a run: a fault, or two and the gap between them. `stage`: of the campaign, or None while it is sent."""

    step: tuple
    stage: str | None = None

    def __str__(self):
        return (f"{self.stage}: " if self.stage else "") + " + ".join(str(f) for f in self.step[:2] if isinstance(f, faults.Fault))


def parse(spec):
    spec = REMARK.sub("", spec)
    head, colon, rest = spec.partition(": ")
    stage = head.strip() if colon else None
    if stage is not None and stage not in STEPS:
        raise Wrong(f"{spec!r}: no step of a campaign is called {stage!r}; there are {', '.join(STEPS)}")
    both = [fault(part) for part in (rest if colon else spec).split(" + ")]
    if len(both) > 2:
        raise Wrong(f"{spec!r}: no more than two faults overlap")
    if stage and len(both) > 1:
        raise Wrong(f"{spec!r}: before a step there is one fault at a time")
    one = both[0]
    if stage is None and len(both) == 1 and isinstance(one, faults.KillAtFailpoint) and schedule.stage_of(one.point):
        return Order((faults.DieDuringStep(one.target, one.point, one.hit),), schedule.stage_of(one.point))
    return Order((*both, GAP_S) if len(both) == 2 else (one,), stage)


def fault(spec):
    words = spec.split()
    for length in range(min(4, len(words)), 0, -1):
        name = " ".join(words[:length])
        if name in MAKERS:
            return MAKERS[name](Words(spec, name, words[length:]))
    raise Wrong(f"{spec!r} is not a fault; there are {', '.join(sorted(MAKERS))}")


class Words:
    """What follows the name: a target, then numbers and words; "s", "for" and "at" are read over."""

    def __init__(self, spec, name, rest):
        self.spec, self.name, self.rest = spec, name, [w for w in rest if w not in ("s", "for", "at")]

    def wrong(self, why):
        return Wrong(f"{self.spec!r}: {why}")

    def target(self, *allowed):
        word = self.rest.pop(0) if self.rest else ""
        # A second process of a service is named email-2.
        if word not in allowed and not (re.sub(r"-\d+$", "", word) in allowed and word.rsplit("-", 1)[0] in SERVICES):
            raise self.wrong(f"{self.name} needs a target, one of {', '.join(allowed)}")
        return word

    def word(self, what):
        if not self.rest:
            raise self.wrong(f"{what} is missing")
        return self.rest.pop(0)

    def number(self, what, default=None):
        if not self.rest and default is not None:
            return default
        word = self.word(what)
        found = NUMBER.fullmatch(word)
        if not found:
            raise self.wrong(f"{what} is a number, not {word!r}")
        return float(found.group(1))

    def seconds(self, default=None):
        value = self.number("for how many seconds", default)
        if value <= 0:
            raise self.wrong("the seconds are to be more than 0")
        return value

    def some(self, *allowed):
        """Those of the allowed words that come next."""
        found = []
        while self.rest and self.rest[0] in allowed:
            found.append(self.rest.pop(0))
        return found

    def end(self, made):
        if self.rest:
            raise self.wrong(f"{' '.join(self.rest)!r} is too much")
        return made


def kill(w):
    target = w.target(*SERVICES, *BACKING)
    servers = {"kafka": faults.KillKafka, "redis": faults.KillRedis, "postgres": faults.KillPostgres}
    return w.end(servers[target]() if target in servers else faults.Kill(target))


def failpoint(w):
    target = w.target(*SERVICES)
    point, _, hit = w.word("the point").partition(":")
    if point.count(".") != 2:
        raise w.wrong(f"{point!r} is not a point; `semel-{target} --list-failpoints` of the preset `chaos` lists them")
    if hit and (not hit.isdigit() or int(hit) == 0):
        raise w.wrong(f"which time the point is passed is a number from 1 on, not {hit!r}")
    return w.end(faults.KillAtFailpoint(target, point, int(hit or 1)))


def pause(w):
    target = w.target(*SERVICES, "kafka", "redis")
    seconds = w.seconds()
    servers = {"kafka": faults.PauseKafka, "redis": faults.PauseRedis}
    return w.end(servers[target](seconds) if target in servers else faults.Pause(target, seconds))


def hold(w):
    kinds = {"postgres": faults.HoldPostgres, "campaign": faults.HoldCampaign}
    target = w.target(*kinds)
    return w.end(kinds[target](w.seconds()))


def clock(w):
    return w.end(faults.StepClock(w.target(*SERVICES), w.number("by how many seconds"), w.seconds()))


def cut_off(w):
    target = w.target(*SERVICES)
    servers = [one for one in w.some("from", "kafka", "redis") if one != "from"]
    if len(servers) != 1:
        raise w.wrong("a service is cut off from kafka or from redis")
    return w.end(faults.CutOff(target, servers[0], w.seconds()))


def disk_full(w):
    kinds = {"postgres": faults.FillPostgres, "redis": faults.FillRedisDisk}
    target = w.target(*kinds)
    return w.end(kinds[target](w.seconds()))


def storm(w):
    target = w.target(*DISPATCHERS)
    counts = []
    while w.rest:
        n = w.number("how many processes")
        if n not in (1, 2, 3, 4):
            raise w.wrong("a storm has 1 to 4 processes at a time")
        counts.append(int(n))
    return faults.Storm(target, counts or (3, 2, 4))


def partition(w):
    target, seconds = w.target(*GATEWAYS), w.seconds()
    return w.end(faults.Partition(target, seconds, tuple(w.some(REQUEST, REPLY)) or (REQUEST, REPLY)))


def cut(w):
    target = w.target(*GATEWAYS)
    direction = w.some(REQUEST, REPLY)
    if len(direction) != 1:
        raise w.wrong(f"what is cut is a {REQUEST} or a {REPLY}")
    at = int(w.number("at which byte"))
    return w.end(faults.CutAt(target, direction[0], at, silent=bool(w.some("silently"))))


def of_redis(kind):
    return lambda w: (w.target("redis"), w.end(kind()))[1]


def of_gateway(kind):
    return lambda w: w.end(kind(w.target(*GATEWAYS), w.seconds()))


def lie(name):
    return lambda w: w.end(faults.Lie(w.target(*GATEWAYS), name, w.seconds()))


MAKERS = {
    "kill": kill, "failpoint": failpoint, "pause": pause, "clock": clock, "storm": storm, "partition": partition, "cut": cut,
    "restart": lambda w: (w.target("kafka"), w.end(faults.StopKafka()))[1],
    "flushall": of_redis(faults.FlushRedis), "replace": of_redis(faults.EmptyRedis), "roll back": of_redis(faults.OldRedis),
    "fail over": of_redis(faults.FailOver),
    "memory full": lambda w: (w.target("redis"), w.end(faults.FillRedis(w.seconds())))[1],
    "hold": hold, "cancel": lambda w: (w.target("campaign"), w.end(faults.CancelCampaign()))[1],
    "disk full": disk_full, "cut off": cut_off,
    "reset": lambda w: w.end(faults.Reset(w.target(*GATEWAYS))),
    "refuse": of_gateway(faults.Refuse), "slow": of_gateway(faults.Slow),
    **{name: lie(name) for name in faults.Lie.CHOICES},
    "wait": lambda w: w.end(faults.Wait(w.seconds())),
}
