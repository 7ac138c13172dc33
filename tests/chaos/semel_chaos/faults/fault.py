"""What every fault has: one small class with one name; `strike` does it, `mend` undoes what lasts.

A fault says how many notifications it may put in doubt: `bound(stack)`, by channel. A channel that is absent may get no
doubt from it at all; None means any number, all of which must be listed.
"""
import time

from ..gateways import GATEWAYS
from ..stack import DISPATCHERS

KIND_OF = {name: kind for name, (kind, _) in GATEWAYS.items()}
CHANNEL_OF = {name: channel for name, (_, channel) in GATEWAYS.items()}

# Reserved and unsettled, at most, when the claims are lost together with their owner: the engine reserves up to 4,096
# records of each of 8 partitions.
RANGE = 8 * 4096


def window(stack, channel):
    """What can be unanswered at once on the channel's gateways, for one process."""
    return sum(n for gateway, n in stack.WINDOWS.items() if CHANNEL_OF[gateway] == channel)


class Fault:
    name = "?"
    #: Channels whose sending stops, so that recovery can be measured: until their gateways accept again.
    def channels(self):
        return DISPATCHERS

    def __init__(self, target, seconds=0.0):
        self.target, self.seconds = target, seconds

    def bound(self, stack):
        return {}

    def held_up(self, stack):
        """By gateway: messages that come through at once when it is over."""
        return {}

    def last(self):
        """How long the fault takes is part of it: there is nothing that could be waited for."""
        time.sleep(self.seconds)

    def strike(self, stack):
        raise NotImplementedError

    def mend(self, stack):
        pass

    #: When sending stopped, by the monotonic clock; None: when the fault was begun, or, if it lasts, when it was over.
    stopped = None

    changes_redis_after = False

    def after(self, stack):
        """What brought the fault about is taken back, once its recovery has been seen."""

    def __str__(self):
        return f"{self.name} {self.target}" + (f" {self.seconds:.0f} s" if self.seconds else "")


class Wait(Fault):
    """No fault: time for what was done to come to its end, before the next."""

    name = "wait"

    def __init__(self, seconds):
        super().__init__("for", seconds)

    def channels(self):
        return ()

    def strike(self, stack):
        self.last()


class OfService(Fault):
    """Of any process of a service."""

    def channels(self):
        service = self.target.split("-")[0]
        return (service,) if service in DISPATCHERS else ()

    def bound(self, stack):
        return {c: window(stack, c) for c in self.channels()}
