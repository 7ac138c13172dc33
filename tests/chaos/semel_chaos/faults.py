"""The catalogue of faults. Each is one small class with one name; `strike` does it, `mend` undoes what lasts.

A fault says how many notifications it may put in doubt: `bound(stack)`, by channel. A channel that is absent may get no
doubt from it at all; None means any number, all of which must be listed.
"""
import os
import shutil
import signal
import time

from . import redis
from .proxy import REPLY, REQUEST, Cut
from .gateways import GATEWAYS
from .replica import Replica
from .stack import DISPATCHERS, Failed, wait_for

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
    """The wall clock of one service's process steps, and steps back later. Sending goes on, no timer is early or late."""

    name = "clock"

    def __init__(self, target, step_s, seconds):
        super().__init__(target, seconds)
        self.step_s = step_s

    def channels(self):
        return ()

    def strike(self, stack):
        stack.set_clock(self.target, self.step_s)
        self.last()

    def mend(self, stack):
        stack.set_clock(self.target, 0)

    def __str__(self):
        return f"{self.name} {self.target} {self.step_s:+.0f} s for {self.seconds:.0f} s"


class KillKafka(Fault):
    name = "kill"

    def __init__(self):
        super().__init__("kafka")

    def strike(self, stack):
        stack.await_other("kafka", stack.kill("kafka"), 60)
        stack.await_ready("kafka")


class StopKafka(Fault):
    """Stopped in order and started again by its supervisor."""

    name = "restart"

    def __init__(self):
        super().__init__("kafka")

    def strike(self, stack):
        former = stack.signal("kafka", signal.SIGTERM)
        stack.await_other("kafka", former, 60)
        stack.await_ready("kafka")


class PauseKafka(Pause):
    name = "pause"

    def __init__(self, seconds):
        super().__init__("kafka", seconds)

    def channels(self):
        return DISPATCHERS

    def bound(self, stack):
        return {}


class LoseRedis(Fault):
    """Redis forgets while its users live: nothing may be lost, twice or in doubt."""

    loses_claims = True

    def __init__(self):
        super().__init__("redis")


class KillRedis(LoseRedis):
    """The append-only file comes back, less what its last second held."""

    name = "kill"

    def strike(self, stack):
        stack.await_other("redis", stack.kill("redis"), 60)
        stack.await_ready("redis")


class FlushRedis(LoseRedis):
    name = "flushall"

    def strike(self, stack):
        answer = redis.ask(stack.port("redis"), "FLUSHALL")
        if answer != "OK":
            raise Failed(f"FLUSHALL: {answer}")


class EmptyRedis(LoseRedis):
    """Another server at the same address that knows nothing."""

    name = "replace"

    def strike(self, stack):
        # Its files first: the supervisor is quicker than any removal after the kill.
        shutil.rmtree(stack.dir / "data/redis", ignore_errors=True)
        stack.await_other("redis", stack.kill("redis"), 60)
        stack.await_ready("redis")


class OldRedis(LoseRedis):
    """Comes back from a file that is older than the latest claims, as a replica with a lost tail does."""

    name = "roll back"

    def strike(self, stack):
        data, old = stack.dir / "data/redis", stack.dir / "redis.old"
        shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(data, old, ignore_dangling_symlinks=True)
        size = lambda folder: sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        try:  # what is written now will be forgotten
            wait_for("Redis has written what can be forgotten", lambda: size(data) > size(old) + 20_000, 5)
        except Failed:
            pass  # a campaign near its end claims little
        pid = stack.signal("redis", signal.SIGSTOP)  # so that it writes nothing more
        shutil.rmtree(data, ignore_errors=True)
        old.rename(data)
        stack.signal("redis", signal.SIGKILL)
        stack.await_other("redis", pid, 60)
        stack.await_ready("redis")


class FailOver(LoseRedis):
    """A replica takes over without the last claims, which the former server took and answered; once all send again, the
    former server takes over in turn, with everything."""

    name = "fail over"
    changes_redis_after = True

    def __init__(self):
        super().__init__()
        self.replica = None

    def strike(self, stack):
        self.replica = Replica(stack)
        stack.beside.append(self.replica)
        self.replica.follow()
        self.replica.take_over()
        self.stopped = time.monotonic()

    def after(self, stack):
        self.replica.give_back()
        self.replica.close()


class PauseRedis(Pause):
    name = "pause"

    def __init__(self, seconds):
        super().__init__("redis", seconds)

    def channels(self):
        return DISPATCHERS

    def bound(self, stack):
        return {}


class KillPostgres(Fault):
    name = "kill"

    def __init__(self):
        super().__init__("postgres")

    def channels(self):
        return ()

    def strike(self, stack):
        stack.await_other("postgres", stack.kill("postgres"), 60)
        stack.await_ready("postgres")


class FillPostgres(Fault):
    """Its disk is full for a while. Nothing may be lost, and sending goes on: the ledger is late, that is all."""

    name = "disk full"

    def __init__(self, seconds):
        super().__init__("postgres", seconds)

    def channels(self):
        return ()

    def strike(self, stack):
        ballast = stack.dir / "data/postgres/ballast"
        try:
            with open(ballast, "wb", buffering=0) as out:
                while out.write(bytes(1 << 20)) == 1 << 20:
                    pass
        except OSError:
            pass  # full
        self.last()

    def mend(self, stack):
        (stack.dir / "data/postgres/ballast").unlink(missing_ok=True)
        wait_for("PostgreSQL answers again", lambda: stack.pid("postgres") and stack.ready("postgres"), 90)


class HoldPostgres(Fault):
    """It does not fail, it hangs, and every connection to it with it. Nothing may be lost, sending goes on, and no policy
    decides about what it has not heard."""

    name = "hold"

    def __init__(self, seconds):
        super().__init__("postgres", seconds)
        self.held = ()

    def channels(self):
        return ()

    def strike(self, stack):
        self.held = stack.signal_all("postgres", signal.SIGSTOP)
        self.last()

    def mend(self, stack):
        for pid in self.held:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


class FillRedis(Fault):
    """No memory is left: it answers every write with OOM, and forgets nothing. Sending waits; nothing is in doubt."""

    name = "memory full"

    def __init__(self, seconds):
        super().__init__("redis", seconds)

    def strike(self, stack):
        port = stack.port("redis")
        self.before = redis.setting(port, "maxmemory")
        redis.set(port, "maxmemory", "1")
        self.last()

    def mend(self, stack):
        redis.set(stack.port("redis"), "maxmemory", self.before)


class HoldCampaign(Fault):
    """Paused by an operator, and resumed: for so long nobody is told, and afterwards everybody is."""

    name = "hold"
    BEGINS_S = 5.0  # until every process has heard it, and what was out is answered

    def __init__(self, seconds):
        super().__init__("campaign", seconds)
        self.quiet_us = None

    def strike(self, stack):
        stack.patient_json("campaign", "pause", stack.campaign)
        begins = time.time() + self.BEGINS_S
        self.last()
        if (ends := time.time()) > begins:
            self.quiet_us = (int(begins * 1e6), int(ends * 1e6))

    def mend(self, stack):
        stack.patient_json("campaign", "resume", stack.campaign)


class CancelCampaign(Fault):
    """For good: nobody is told after it, and whoever was not told is failed with that word. The last fault of a run."""

    name = "cancel"

    def __init__(self):
        super().__init__("campaign")
        self.quiet_us = None

    def channels(self):
        return ()

    def strike(self, stack):
        stack.patient_json("campaign", "cancel", stack.campaign)
        self.quiet_us = (int((time.time() + HoldCampaign.BEGINS_S) * 1e6), 1 << 62)


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
