"""Which faults a run does, and in what order: a function of the profile and the seed."""
import random
from dataclasses import dataclass

from . import faults
from .gateways import GATEWAYS
from .proxy import REPLY, REQUEST
from .stack import DISPATCHERS, SERVICES

WORKERS = tuple(s for s in SERVICES if s not in ("api", "render"))  # those that are at work while a campaign runs


@dataclass(frozen=True)
class Profile:
    people: int  # of each campaign
    rates: dict  # gateway -> messages a second
    kills: int = 0
    failpoints: int = 0
    pauses: int = 0
    long_pauses: int = 0  # beyond the session timeout
    redis: int = 0
    kafka: int = 0
    postgres: int = 0
    full_disks: int = 0
    network: int = 0  # resets, refusals, partitions, cuts
    lies: int = 0
    storms: int = 0
    clocks: int = 0
    full_redis: int = 0  # no memory, and no room for a snapshot, in turn
    holds: int = 0  # PostgreSQL hangs, and an operator pauses and resumes, in turn
    refusals: int = 0  # for good: people fail
    cut_offs: int = 0  # a service from Redis alone, or from Kafka alone
    together: float = 0.1  # the share of faults that come in overlapping pairs
    stories: tuple = ("plain",)  # in turn
    notifications: int = 0  # campaigns go on until so many are planned, even without faults


# The larger ones first: they have room for most of the faults.
ALL_STORIES = ("several", "plain", "decimal", "decisions", "deadline", "padded", "waves", "cancel", "throttled")

PROFILES = {
    "smoke": Profile(people=9_000, rates={"relay-a": 90, "apns": 40, "fcm": 20, "smsc-a": 85}, stories=("several",),
                     kills=5, failpoints=5, pauses=2, redis=2, kafka=1, network=2, lies=2, storms=1, clocks=1,
                     full_redis=1, holds=2, refusals=1, cut_offs=1, together=0.3),
    "short": Profile(people=40_000, rates={"relay-a": 240, "apns": 100, "fcm": 50, "smsc-a": 230},
                     kills=60, failpoints=76, pauses=17, long_pauses=3, redis=13, kafka=7, postgres=2, full_disks=1, network=12, lies=8,
                     storms=3, clocks=4, full_redis=4, holds=4, refusals=3, cut_offs=4, together=0.3, stories=ALL_STORIES,
                     notifications=500_000),
    "night": Profile(people=90_000, rates={"relay-a": 500, "apns": 200, "fcm": 100, "smsc-a": 450},
                     kills=3_000, failpoints=2_010, pauses=480, long_pauses=20, redis=500, kafka=250, postgres=90, full_disks=10,
                     network=600, lies=300, storms=100, clocks=200, full_redis=100, holds=120, refusals=60, cut_offs=100, together=0.2,
                     stories=ALL_STORIES, notifications=20_000_000),
    "release": Profile(people=90_000, rates={"relay-a": 500, "apns": 200, "fcm": 100, "smsc-a": 450},
                       kills=20_000, failpoints=10_050, pauses=2_900, long_pauses=100, redis=3_000, kafka=1_000,
                       postgres=450, full_disks=50, network=3_000, lies=1_500, storms=500, clocks=1_000, full_redis=500, holds=600, refusals=300,
                       cut_offs=500, stories=ALL_STORIES, notifications=100_000_000),
}

# Kafka's session of a static member lasts 45 s.
BEYOND_SESSION_S = (55, 90)


# Points that are passed only while an operator's step is carried out: armed before it. All others are passed while a
# campaign is sent.
STAGES = {"create": ("render.", "api.outbox.", "api.feedback."), "add": ("intake.", "api.upload."),
          "seal": ("plan.register.", "plan.report."), "end": ("api.finish.", "plan.removal.")}


def stage_of(point):
    return next((stage for stage, prefixes in STAGES.items() if point.startswith(prefixes)), None)


def draw(profile, seed, points, small_disk=True):
    """What happens while campaigns are sent, and what during their steps: ([(fault,), (fault, fault, gap), ...],
    {stage: [fault, ...]}).

    `points`: service -> its failpoints; where there are none, the process is killed at random instead.
    `small_disk`: whether PostgreSQL has one that can be filled."""
    dice = random.Random(f"schedule {seed}")
    out = [faults.Kill(dice.choice(WORKERS)) for _ in range(profile.kills)]
    staged = {stage: [] for stage in STAGES}
    for fault in failpoints(profile.failpoints, dice, points):
        stage = stage_of(fault.point) if fault.name == "failpoint" else None
        if stage:
            staged[stage].append(faults.DieDuringStep(fault.target, fault.point))
        else:
            out.append(fault)
    out += [faults.Pause(dice.choice(WORKERS), dice.uniform(1, 12)) for _ in range(profile.pauses)]
    out += [faults.Pause(dice.choice(DISPATCHERS), dice.uniform(*BEYOND_SESSION_S)) for _ in range(profile.long_pauses)]
    redis = (faults.FlushRedis, faults.KillRedis, faults.EmptyRedis, faults.FailOver, faults.OldRedis,
             lambda: faults.PauseRedis(dice.uniform(1, 8)))
    out += [redis[i % len(redis)]() for i in range(profile.redis)]
    kafka = (faults.KillKafka, faults.StopKafka, lambda: faults.PauseKafka(dice.uniform(5, 30)))
    out += [kafka[i % len(kafka)]() for i in range(profile.kafka)]
    out += [faults.KillPostgres() for _ in range(profile.postgres)]
    out += [faults.FillPostgres(dice.uniform(5, 15)) for _ in range(profile.full_disks if small_disk else 0)]
    out += [network(i, dice) for i in range(profile.network)]
    out += [lie(i, dice) for i in range(profile.lies)]
    out += [faults.Storm.drawn(dice.choice(DISPATCHERS), dice) for _ in range(profile.storms)]
    out += [faults.StepClock(dice.choice(SERVICES), dice.choice((-3600, -1, 1, 3600)), dice.uniform(2, 15)) for _ in range(profile.clocks)]
    out += [(faults.FillRedis, faults.FillRedisDisk)[i % 2](dice.uniform(2, 6)) for i in range(profile.full_redis)]
    out += [(faults.HoldPostgres, faults.HoldCampaign)[i % 2](dice.uniform(7, 12)) for i in range(profile.holds)]
    out += [faults.Lie(dice.choice(sorted(GATEWAYS)), "refuse for good", dice.uniform(1, 4)) for _ in range(profile.refusals)]
    # Redis: beyond the 20 s after which a dispatcher gives its partitions up, and shorter.
    cuts = (lambda: (dice.choice(DISPATCHERS), "redis", dice.uniform(22, 30)), lambda: (dice.choice(WORKERS), "kafka", dice.uniform(3, 15)),
            lambda: (dice.choice(DISPATCHERS), "redis", dice.uniform(3, 10)))
    out += [faults.CutOff(*cuts[i % 3]()) for i in range(profile.cut_offs)]
    dice.shuffle(out)
    return pairs(out, profile.together, dice), staged


def ordered(orders):
    """The same of faults that somebody asked for: what happens while a campaign is sent (the last one comes first), at
    points of its steps, and before its steps."""
    steps, staged, before = [], {}, {}
    for order in orders:
        if order.stage is None:
            steps.append(order.step)
        elif isinstance(order.step[0], faults.DieDuringStep):
            staged.setdefault(order.stage, []).append(order.step[0])
        else:
            before.setdefault(order.stage, []).append(order.step[0])
    return steps[::-1], staged, before


def failpoints(count, dice, points):
    """Every point of every service comes before any comes again."""
    every = [(service, point) for service in SERVICES for point in points.get(service, ())]
    if not every:
        return [faults.Kill(dice.choice(DISPATCHERS)) for _ in range(count)]
    # The three dispatchers share the engine's points: one of them each time, so that a short run meets all points.
    by_point = {}
    for service, point in every:
        by_point.setdefault(point, []).append(service)
    out = []
    while len(out) < count:
        names = sorted(by_point)
        dice.shuffle(names)
        out += [faults.KillAtFailpoint(dice.choice(by_point[point]), point, 1 if rare(point) else dice.choice((1, 1, 2, 5, 20)))
                for point in names]
    return out[:count]


def rare(point):
    """Passed once for each time that it is provoked."""
    part, name = point.split(".")[-2:]
    return part in ("take_over", "inherited", "rebuild", "revoke", "drain") or name in ("unknown", "rebuilt", "read_back")


def network(index, dice):
    gateway = dice.choice(sorted(GATEWAYS))
    seconds = dice.uniform(1, 8)
    return (lambda: faults.CutAt.drawn(gateway, dice), lambda: faults.Reset(gateway), lambda: faults.CutAt.drawn(gateway, dice),
            lambda: faults.Refuse(gateway, seconds), lambda: faults.CutAt.drawn(gateway, dice),
            lambda: faults.Partition(gateway, seconds, dice.choice(((REQUEST,), (REPLY,), (REQUEST, REPLY)))))[index % 6]()


def lie(index, dice):
    names = faults.Lie.DRAWN
    return faults.Lie(dice.choice(sorted(GATEWAYS)), names[index % len(names)], dice.uniform(2, 6))


def pairs(all_faults, share, dice):
    """Some overlap: never two that stop, kill or arm the same process, and never two of one gateway."""
    out = []
    rest = list(all_faults)
    while rest:
        one = rest.pop()
        partner = next((f for f in rest if apart(one, f)), None) if dice.random() < share else None
        if partner is None:
            out.append((one,))
        else:
            rest.remove(partner)
            out.append((one, partner, dice.uniform(0, 1.5)))
    return out


def apart(one, other):
    whole = ("storm", "failpoint")  # both scale or restart processes of their own
    if "campaign" in (one.target, other.target):
        return False  # whoever does not hear an operator, because of the other, cannot obey
    return one.target != other.target and not (one.name in whole and other.name in whole) and \
        not (one.name == "failpoint" and other.target in ("kafka", "redis"))
