"""Two waves of one campaign that share addresses, and how often each address must be told. Pure."""
import random
from collections import Counter, defaultdict

from . import people
from .people import CHANNELS, Truth


def split(count, seed, share=0.3):
    """(the large file, the small one): of the small one's people, so many have an address of somebody in the other."""
    everybody = people.make(count, seed).people
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
    for text, wrong in (("were told more often than they should", [at for at, n in came.items() if n > expectation[at] > 0]),
                        ("got less than they should", [at for at, n in expectation.items() if came.get(at, 0) < n]),
                        ("are in neither wave, and were told", [at for at in came if not expectation[at]])):
        if wrong:
            by_channel = Counter(channel for channel, _ in wrong)
            out.append(f"{len(wrong)} addresses {text} ({', '.join(f'{c} {n}' for c, n in sorted(by_channel.items()))})")
    return out
