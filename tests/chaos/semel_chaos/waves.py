"""Two waves of one campaign that share addresses, and how often each address must be told. Pure."""
import random
from collections import Counter, defaultdict

from . import people
from .facts import Breach, Verdict
from .people import CHANNELS, Truth


def split(count, seed, share=0.3, series=0):
    """(the large file, the small one): of the small one's people, so many have an address of somebody in the other."""
    everybody = people.make(count, seed, series=series).people
    cut = count * 4 // 5
    large, small = everybody[:cut], everybody[cut:]
    dice = random.Random(f"waves {seed}")
    for row, person in enumerate(small, 1):
        person.row = row
        other = dice.choice(large)
        channel = dice.choice(("email", "sms"))
        if dice.random() < share and other.address(channel):
            setattr(person, channel, other.address(channel))
    return Truth(large), Truth(small)


def expected(waves):
    """(channel, address) -> messages, of waves in the order of their numbers: one, and a supplement for each wave that
    brings a segment that nobody before had at this address."""
    out, told = Counter(), defaultdict(set)
    for truth in waves:
        mine = defaultdict(set)
        for person in truth.people:
            for channel in CHANNELS:
                if address := person.address(channel):
                    mine[channel, address].update(person.segments.split(";") if person.segments else ())
        for at, segments in mine.items():
            if at not in out or segments - told[at]:
                out[at] += 1
            told[at] |= segments
    return out


def messages(accepts):
    """(channel, address) -> messages that came: of an SMS, as many as of the part that came most often."""
    parts = defaultdict(Counter)
    for a in accepts:
        parts[a.channel, a.address][a.part] += 1
    return {at: max(came.values()) for at, came in parts.items()}


def complaints(expectation, came):
    """What is wrong, in sentences without an address."""
    out = []
    for invariant, text, wrong in (
            ("I1", "were told more often than they should", [at for at, n in came.items() if n > expectation[at] > 0]),
            ("I12", "got less than they should", [at for at, n in expectation.items() if came.get(at, 0) < n]),
            ("I1", "are in neither wave, and were told", [at for at in came if not expectation[at]])):
        if wrong:
            by_channel = Counter(channel for channel, _ in wrong)
            shown = ", ".join(f"{c} {n}" for c, n in sorted(by_channel.items()))
            out.append(Breach(invariant, f"{len(wrong)} addresses {text} ({shown})"))
    return out


def judge(expectation, came):
    """As checker.judge() of a campaign of one wave."""
    return Verdict(complaints(expectation, came), sum(came.values()),
                   lost=sum(max(0, n - came.get(at, 0)) for at, n in expectation.items()),
                   duplicate=sum(max(0, n - expectation[at]) for at, n in came.items()))
