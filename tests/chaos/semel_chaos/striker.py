"""Does faults, one or two at once, and writes down when, what they may put in doubt and how long recovery took."""
import json
import sys
import threading
import time
from pathlib import Path

from . import checker, faults
from .stack import DISPATCHERS


def tell(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def now_us():
    return time.time_ns() // 1000


class Striker:
    # After Redis forgot, claims are written anew within this time; a dispatcher that dies before then leaves its range
    # in doubt, and not only its window.
    REBUILD_S = 5
    # A session of a group lasts ten seconds, of which three may have passed.
    SESSION_LEFT_S = 7
    # Longer than the minute that what was refused twice waits: the rest of a campaign may be that.
    RECOVERY_S = 90

    def __init__(self, stack, campaign, before=None):
        """`campaign`: one, or several at once. `before`: how many messages the gateways had by channel, of earlier ones."""
        self.stack, self.campaign = stack, campaign
        self.before = before or {}
        self.done = []  # checker.Fault, by time
        self.losses_us = []  # when Redis forgot
        self.taken_until_us = []  # until when Kafka was away for longer than sessions last
        self.lock = threading.Lock()
        self.redis_lost_until = 0.0  # monotonic
        self.log = Path(stack.dir) / "chaos.jsonl"

    def write(self, **fields):
        with self.lock, open(self.log, "a") as out:
            out.write(json.dumps({"time_us": now_us(), **fields}) + "\n")

    def note(self, name, target, where, function):
        """A fault that a story does by itself."""
        self.write(fault=f"{name} {target}", where=where)
        time_us = now_us()
        function()
        self.done.append(checker.Fault(name, target, time_us, until_us=now_us()))
        self.write(fault=f"{name} {target}", struck=True)
        tell(f"{name} {target} {where}")

    def strike(self, fault, sending=True):
        """`sending`: whether there is a recovery to see."""
        began, time_us = time.monotonic(), now_us()
        record = checker.Fault(fault.name, fault.target, time_us, fault.bound(self.stack))
        self.share_a_loss_of_redis(fault, record)
        with self.lock:
            self.done.append(record)
            self.done.sort(key=lambda f: f.time_us)
        self.write(fault=str(fault), bound=record.bound)
        if getattr(fault, "loses_claims", False):
            self.redis_lost_until = time.monotonic() + 120  # until it is over and rebuilt
        try:
            fault.strike(self.stack)
        finally:
            fault.mend(self.stack)
            record.until_us, record.held_up = now_us(), fault.held_up(self.stack)
            record.quiet_us, record.campaign = getattr(fault, "quiet_us", None), getattr(fault, "campaign", "")
            record.bound = {c: n if n is None else max(n, record.bound.get(c) or 0)
                            for c, n in (fault.bound(self.stack) or record.bound).items()}  # some know only now
            self.share_a_loss_of_partitions(fault, record)
        if getattr(fault, "loses_claims", False):
            self.redis_lost_until = time.monotonic() + self.REBUILD_S
        # Of what lasts, recovery begins when it is over.
        if sending:
            record.recovery_s = self.recovery(fault, record, fault.stopped or (time.monotonic() if fault.seconds else began))
        if fault.changes_redis_after:
            self.redis_lost_until = time.monotonic() + 120
        fault.after(self.stack)
        if fault.changes_redis_after:
            self.redis_lost_until = time.monotonic() + self.REBUILD_S
        self.write(fault=str(fault), struck=True, recovery_s=record.recovery_s)
        tell(f"{fault}" + (f": sending again after {record.recovery_s:.1f} s" if record.recovery_s is not None else ""))

    def share_a_loss_of_redis(self, fault, record):
        with self.lock:
            if time.monotonic() < self.redis_lost_until and not getattr(fault, "loses_claims", False):
                record.bound = {c: n and n + faults.RANGE for c, n in record.bound.items()}
            if getattr(fault, "loses_claims", False):
                since = record.time_us - 1_000_000 * self.REBUILD_S
                dead = {c for f in self.done if (f.until_us or record.time_us) >= since and f.name in ("kill", "failpoint", "pause", "cut off")
                        for c in f.bound}
                if any(until >= since for until in self.taken_until_us):
                    dead = set(DISPATCHERS)
                record.bound = {c: faults.RANGE for c in dead}
                self.losses_us.append(record.time_us)

    def share_a_loss_of_partitions(self, fault, record):
        """A dispatcher whose partitions were taken away knows of their claims what Redis knows."""
        if not getattr(fault, "takes_partitions", False) or record.until_us - record.time_us < 1_000_000 * self.SESSION_LEFT_S:
            return
        with self.lock:
            self.taken_until_us.append(record.until_us)
            if any(record.time_us - 1_000_000 * self.REBUILD_S <= at <= record.until_us for at in self.losses_us):
                record.bound = {c: faults.RANGE for c in DISPATCHERS}

    def both(self, one, other, gap):
        """Two faults that overlap."""
        errors = []

        def second():
            try:
                time.sleep(gap)
                self.strike(other)
            except Exception as error:
                errors.append(error)
        thread = threading.Thread(target=second)
        thread.start()
        try:
            self.strike(one)
        finally:
            thread.join(300)
        if errors:
            raise errors[0]

    def recovery(self, fault, record, began):
        """How long until every channel that the fault stopped is accepted from again; None when none had work left."""
        total = {c: self.before.get(c, 0) + self.campaign.planned(c) for c in fault.channels()}
        start, since_us = self.campaign.accepted(), now_us()
        # The last few may be in doubt or wait for another try: they say nothing about recovery.
        waiting = {c for c in total if start.get(c, 0) < self.before.get(c, 0) + 0.97 * (total[c] - self.before.get(c, 0))}
        if not waiting:
            return None
        slowest = None
        while waiting:
            now = self.campaign.accepted()
            back = {c for c in waiting if now.get(c, 0) > start.get(c, 0)}
            if back:
                slowest = time.monotonic() - began
            waiting -= back
            if waiting and self.campaign.over():
                return slowest  # a deadline has passed meanwhile, or somebody cancelled it
            if time.monotonic() - began > self.RECOVERY_S:
                record.still, record.still_us = tuple(sorted(waiting)), (since_us, now_us())
                tell(f"{fault}: nothing accepted on {', '.join(sorted(waiting))} for {self.RECOVERY_S} s")
                return slowest
            time.sleep(0.02)
        return slowest
