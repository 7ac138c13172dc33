"""Kafka, Redis and PostgreSQL: killed, held, full, and a Redis that forgets."""
import os
import shutil
import signal
import time

from .. import redis
from ..replica import Replica
from ..stack import DISPATCHERS, Failed, wait_for
from .fault import Fault
from .processes import Pause


class KafkaAway(Fault):
    """Where it is away for longer than a session lasts, dispatchers lose their partitions, and forget what they were about to
    commit: Redis has it. One that forgets at the same time makes each of them a doubt."""

    takes_partitions = True

    def __init__(self):
        super().__init__("kafka")


class KillKafka(KafkaAway):
    name = "kill"

    def strike(self, stack):
        stack.await_other("kafka", stack.kill("kafka"), 60)
        stack.await_ready("kafka")


class StopKafka(KafkaAway):
    """Stopped in order and started again by its supervisor."""

    name = "restart"

    def strike(self, stack):
        former = stack.signal("kafka", signal.SIGTERM)
        stack.await_other("kafka", former, 60)
        stack.await_ready("kafka")


class PauseKafka(Pause):
    name = "pause"
    takes_partitions = True

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


class FillRedisDisk(Fault):
    """Its disk takes no snapshot, and so it answers every write with MISCONF. It forgets nothing. Sending waits."""

    name = "disk full"

    def __init__(self, seconds):
        super().__init__("redis", seconds)

    def strike(self, stack):
        port = stack.port("redis")
        self.before = redis.setting(port, "save")
        redis.set(port, "stop-writes-on-bgsave-error", "yes")
        redis.set(port, "save", "3600 1")
        self.snapshot(stack).unlink(missing_ok=True)
        self.snapshot(stack).mkdir()  # nothing can be renamed to it
        redis.ask(port, "BGSAVE", "SCHEDULE")  # after what is under way
        wait_for("a snapshot has failed", lambda: redis.info(port, "persistence")["rdb_last_bgsave_status"] == "err", 20)
        self.last()

    def mend(self, stack):
        port = stack.port("redis")
        if self.snapshot(stack).is_dir():
            self.snapshot(stack).rmdir()
        redis.ask(port, "BGSAVE", "SCHEDULE")  # after what is under way
        wait_for("a snapshot is taken", lambda: redis.info(port, "persistence")["rdb_last_bgsave_status"] == "ok", 20)
        redis.set(port, "save", self.before)

    def snapshot(self, stack):
        return stack.dir / "data/redis" / redis.setting(stack.port("redis"), "dbfilename")


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
