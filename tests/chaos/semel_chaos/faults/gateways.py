"""Gateways that misbehave, and the way to them."""
from ..proxy import REPLY, REQUEST, Cut
from ..stack import Failed, wait_for
from .fault import CHANNEL_OF, KIND_OF, Fault


class OfGateway(Fault):
    def channels(self):
        return (CHANNEL_OF[self.target],)


class Reset(OfGateway):
    """Every connection to a gateway is reset, with what is unanswered on it."""

    name = "reset"

    def bound(self, stack):
        return {self.channels()[0]: stack.WINDOWS[self.target]}

    def strike(self, stack):
        stack.proxies.reset(KIND_OF[self.target])


class Refuse(Reset):
    """Nothing listens there for a while."""

    name = "refuse"

    def strike(self, stack):
        stack.proxies.change(KIND_OF[self.target], refusing=True)
        self.last()

    def mend(self, stack):
        stack.proxies.heal(KIND_OF[self.target])


class Partition(OfGateway):
    """Nothing arrives, one way or both, and then everything does: late, and perhaps after the sender has given up."""

    name = "partition"

    def __init__(self, target, seconds, directions):
        super().__init__(target, seconds)
        self.directions = directions

    def bound(self, stack):
        return {self.channels()[0]: stack.WINDOWS[self.target] * (2 + int(self.seconds / 5))}

    def held_up(self, stack):
        return {self.target: self.bound(stack)[self.channels()[0]]}

    def strike(self, stack):
        stack.proxies.change(KIND_OF[self.target], blocked=set(self.directions))
        self.last()

    def mend(self, stack):
        stack.proxies.heal(KIND_OF[self.target])

    def __str__(self):
        return f"{super().__str__()} {' '.join(sorted(self.directions))}"


class Slow(OfGateway):
    """Every answer takes longer."""

    name = "slow"

    def bound(self, stack):
        return {self.channels()[0]: stack.WINDOWS[self.target]} if self.seconds > 4 else {}

    def strike(self, stack):
        stack.proxies.change(KIND_OF[self.target], delay={REQUEST: 0.0, REPLY: 0.3})
        self.last()

    def mend(self, stack):
        stack.proxies.heal(KIND_OF[self.target])


class CutAt(OfGateway):
    """A piece of a request, or of an answer, is cut at a byte; then a reset, or silence until the reset."""

    name = "cut"

    def __init__(self, target, direction, at, silent=False, pieces=4):
        super().__init__(target)
        self.cut = Cut(direction, at, silent, left=pieces)

    @classmethod
    def drawn(cls, target, dice):
        direction = dice.choice((REQUEST, REPLY))
        at = -dice.randrange(0, 65) if direction == REQUEST else dice.randrange(0, 65)
        return cls(target, direction, at, silent=dice.random() < 0.5)

    def bound(self, stack):
        # A connection that is cut has all that is unanswered on it in doubt.
        return {self.channels()[0]: stack.WINDOWS[self.target] * self.cut.left + stack.WINDOWS[self.target]}

    def strike(self, stack):
        stack.proxies.arm(KIND_OF[self.target], self.cut)
        try:
            wait_for("a piece to cut came by", lambda: self.cut.left == 0, 10)
        except Failed:
            pass  # a busy campaign may have little for this gateway just now

    def mend(self, stack):
        stack.proxies.heal(KIND_OF[self.target])
        if self.cut.silent:
            stack.proxies.reset(KIND_OF[self.target])

    def __str__(self):
        return f"{self.name} {self.target} {self.cut.direction} at {self.cut.at}{' silently' if self.cut.silent else ''}"


class Lie(OfGateway):
    """A gateway that misbehaves for some seconds: it stops reading, or accepts and says nothing, or hangs up instead of
    answering, or answers late, or refuses some or all for now. It says itself how many messages it treated so."""

    CHOICES = {"hang": {"hang": True}, "silence": {"silence": 0.02}, "accept and reset": {"accept_then_reset": 0.02},
               "reset before the end": {"reset_before_last_byte": 0.02}, "late": {"latency_ms": 6000},
               "refuse for now": {"errors": {"smtp": {"451 4.7.1": 0.2}, "apns": {"503": 0.2}, "fcm": {"503": 0.2},
                                             "smpp": {"0x58": 0.2}}},
               "refuse for good": {"errors": {"smtp": {"550 5.1.1": 0.2}, "apns": {"410": 0.2}, "fcm": {"404": 0.2},
                                              "smpp": {"0x0B": 0.2}}},
               "throttle": {"errors": {"smtp": {"451 4.7.1": 1.0}, "apns": {"429": 1.0}, "fcm": {"429": 1.0},
                                       "smpp": {"0x58": 1.0}}}}
    DRAWN = tuple(sorted(set(CHOICES) - {"refuse for good"}))  # the others are done by name
    USUAL = {"hang": False, "silence": 0, "accept_then_reset": 0, "reset_before_last_byte": 0, "errors": {}}

    def __init__(self, target, lie, seconds):
        super().__init__(target, seconds)
        self.lie, self.name = lie, lie
        self.kind = KIND_OF[target]
        self.told = 0  # connections or messages that were treated so

    def bound(self, stack):
        one = stack.WINDOWS[self.target]
        if self.lie in ("refuse for now", "refuse for good", "throttle"):
            return {}  # a refusal is certain
        if self.lie == "hang":
            return {self.channels()[0]: one * (2 + int(self.seconds / 5))}
        if self.lie == "late":
            return {self.channels()[0]: one}
        # Each costs its connection with what is unanswered on it; ending the silence costs all connections.
        return {self.channels()[0]: self.told * (1 if self.kind == "smtp" else one) + one}

    def held_up(self, stack):
        return {self.target: self.bound(stack)[self.channels()[0]]} if self.lie == "hang" else {}

    def strike(self, stack):
        before = self.count(stack)
        choice = dict(self.CHOICES[self.lie])
        if "errors" in choice:
            choice["errors"] = choice["errors"][self.kind]
        stack.control.behave(**{self.kind: choice})
        self.last()
        self.stop(stack)
        self.told = self.count(stack) - before

    def count(self, stack):
        now = stack.control.counts(self.kind)
        return now["silent"] + now["resets"]

    def stop(self, stack):
        stack.control.behave(**{self.kind: {**self.USUAL, "latency_ms": stack.latency_ms}})

    def mend(self, stack):
        self.stop(stack)
        if self.lie == "silence":
            stack.control.disconnect(self.kind)
