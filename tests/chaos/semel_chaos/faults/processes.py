"""Processes of Semel that are killed, stopped, scaled, and whose clocks step."""
import signal
import time

from .. import redis
from ..stack import Failed, wait_for
from .fault import RANGE, OfService, window


class Kill(OfService):
    name = "kill"

    def strike(self, stack):
        former = stack.kill(self.target)
        stack.await_other(self.target, former)


class KillAtFailpoint(OfService):
    """The process ends itself at a named point of its code. Rare paths are provoked: a restart, a Redis that forgets, a
    process that joins, a Kafka that falls silent. One that is not reached is followed by a kill, so that nothing stays
    armed."""

    name = "failpoint"
    REACHED_WITHIN = 15

    def __init__(self, target, point, hit=1):
        super().__init__(target)
        self.point, self.hit = point, hit
        self.reached = None

    def bound(self, stack):
        out = {c: 2 * n for c, n in super().bound(stack).items()}  # the provoking restart has a window of its own
        if self.provocation == "forget":
            out = {c: n + RANGE for c, n in out.items()}
        return out

    @property
    def provocation(self):
        part = self.point.split(".")[1]
        return {"take_over": "restart", "inherited": "restart", "rebuild": "forget", "revoke": "join", "drain": "stop"}.get(
            part, "silence" if self.point.split(".")[2] in ("unknown", "rebuilt", "read_back") else "")

    def strike(self, stack):
        service = self.target.split("-")[0]
        former = wait_for(f"{self.target} runs, to be armed", lambda: stack.pid(self.target), 30, every=0.05)
        stack.arm(self.target, self.point, self.hit)
        if self.provocation == "restart":
            stack.signal(self.target, signal.SIGKILL)
            former = stack.await_other(self.target, former)  # that one dies at the point
        elif self.provocation == "stop":
            stack.signal(self.target, signal.SIGTERM)
        elif self.provocation == "forget":
            redis.ask(stack.port("redis"), "FLUSHALL")
        elif self.provocation == "join":
            stack.scale(service, 2)
        elif self.provocation == "silence":
            stack.signal("kafka", signal.SIGSTOP)
        try:
            wait_for("the point is reached", lambda: stack.pid(self.target) != former, self.REACHED_WITHIN, every=0.02)
            self.stopped = time.monotonic()
            self.reached = stack.disarmed(self.target)
        except Failed:
            self.reached = False
        finally:
            if self.provocation == "silence":
                stack.signal("kafka", signal.SIGCONT, quiet=True)
        if not self.reached:
            stack.disarm(self.target)
            self.stopped = time.monotonic()
            former = stack.kill(self.target)
        stack.await_other(self.target, former)

    def after(self, stack):
        if self.provocation == "join":
            stack.scale(self.target.split("-")[0], 1)

    def __str__(self):
        return f"{self.name} {self.target} {self.point}:{self.hit}" + (" (not reached: killed)" if self.reached is False else "")


class DieDuringStep(KillAtFailpoint):
    """At a point that is passed only while a step of a campaign is carried out, which `step` does."""

    def __init__(self, target, point, hit=1):
        super().__init__(target, point, hit)
        self.step = lambda: None

    def strike(self, stack):
        former = wait_for(f"{self.target} runs, to be armed", lambda: stack.pid(self.target), 30, every=0.05)
        stack.arm(self.target, self.point, self.hit)
        self.step()
        try:
            wait_for("the point is reached", lambda: stack.pid(self.target) != former, 5, every=0.05)
            self.reached = True
        except Failed:
            self.reached = False
            stack.disarm(self.target)
            stack.kill(self.target)
        stack.await_other(self.target, former)


class Pause(OfService):
    """SIGSTOP and SIGCONT. A dispatcher that sleeps beyond its session wakes up to find that its partitions moved."""

    name = "pause"

    def strike(self, stack):
        wait_for(f"{self.target} runs, to be stopped", lambda: stack.pid(self.target), 30, every=0.05)
        self.pid = stack.signal(self.target, signal.SIGSTOP)
        self.last()

    def mend(self, stack):
        if stack.pid(self.target) == self.pid:
            stack.signal(self.target, signal.SIGCONT, quiet=True)


class StepClock(OfService):
    """The wall clock of one service's process steps, and steps back later. No timer is early or late. Beyond two seconds
    a process that decides by the time holds meanwhile; nothing of it is in doubt."""

    name = "clock"
    TOLERANCE_S = 2

    def __init__(self, target, step_s, seconds):
        super().__init__(target, seconds)
        self.step_s = step_s

    def channels(self):
        return super().channels() if abs(self.step_s) > self.TOLERANCE_S else ()

    def bound(self, stack):
        return {}

    def strike(self, stack):
        stack.set_clock(self.target, self.step_s)
        self.last()

    def mend(self, stack):
        stack.set_clock(self.target, 0)

    def __str__(self):
        return f"{self.name} {self.target} {self.step_s:+.0f} s for {self.seconds:.0f} s"


class CutOff(OfService):
    """One service does not reach Kafka, or Redis, which all others do. One that may not claim sends nothing, one that may not
    commit cannot go on: when it reaches all again, it has told nobody twice."""

    name = "cut off"

    def __init__(self, target, server, seconds):
        super().__init__(target, seconds)
        self.server = server

    def bound(self, stack):
        return {c: 2 * n for c, n in super().bound(stack).items()}  # one that gives up begins anew

    def strike(self, stack):
        stack.cut_off(self.target, self.server)
        self.last()

    def mend(self, stack):
        stack.cut_off(self.target, None)

    def __str__(self):
        return f"{self.name} {self.target} from {self.server} {self.seconds:.0f} s"


class Storm(OfService):
    """Processes of a service join and leave every few seconds. Those that leave drain: no doubt."""

    name = "storm"

    def __init__(self, target, counts):
        super().__init__(target)
        self.steps = [*counts, 1]

    @classmethod
    def drawn(cls, target, dice):
        return cls(target, [dice.choice((1, 2, 3, 4)) for _ in range(3)])

    def bound(self, stack):
        return {}

    def strike(self, stack):
        for n in self.steps:
            stack.scale(self.target, n)

    def __str__(self):
        return f"{self.name} {self.target} {' '.join(str(n) for n in self.steps[:-1])}"
