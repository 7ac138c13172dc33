"""A replica of the stack's Redis that takes its place and gives it back.

Semel knows one address, as behind a virtual IP: here the servers change their ports while they live. The former server
goes on living beside, as one does that was cut off and is not dead."""
import shutil
import subprocess

from . import redis
from .stack import ROOT, Failed, wait_for


class Replica:
    def __init__(self, stack):
        self.place = stack.port("redis")
        self.beside, self.aside = stack.port("replica"), stack.port("former redis")
        self.folder = stack.dir / "replica"
        self.process = None

    def follow(self):
        """Starts, and has all that the server has."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.process = subprocess.Popen([ROOT / "deploy/local/server", "redis", self.folder, str(self.beside)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_for("the replica answers", lambda: redis.ask(self.beside, "PING") == "PONG", 20)
        self.copy(self.beside, self.place)

    def take_over(self):
        """In the server's place with what it had by now; what the server is still told is lost."""
        must(self.beside, "REPLICAOF", "NO", "ONE")
        since = written(self.place)
        try:
            wait_for("Redis is told what will be lost", lambda: written(self.place) > since + 20_000, 5, every=0.02)
        except Failed:
            pass  # a campaign near its end claims little
        self.change(self.place, self.aside, self.beside)

    def give_back(self):
        """The former server follows and takes its place again, with nothing lost."""
        self.copy(self.aside, self.place)
        must(self.place, "FAILOVER", "TO", "127.0.0.1", str(self.aside))
        wait_for("the former server is in charge", lambda: said(self.aside)["role"] == "master", 30, every=0.02)
        self.change(self.place, self.beside, self.aside)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def change(self, place, leaving, coming):
        """The server at `place` goes to the port `leaving`, the one at `coming` comes there, and whoever was connected
        has to come again."""
        must(place, "CONFIG", "SET", "port", str(leaving))
        must(coming, "CONFIG", "SET", "port", str(place))
        redis.ask(leaving, "CLIENT", "KILL", "TYPE", "normal")

    def copy(self, port, of):
        must(port, "REPLICAOF", "127.0.0.1", str(of))
        wait_for("the replica has everything", lambda: said(port).get("master_link_status") == "up", 60, every=0.05)


def must(port, *words):
    if (answer := redis.ask(port, *words)) != "OK":
        raise Failed(f"redis-cli -p {port} {' '.join(words)}: {answer}")


def said(port):
    return redis.info(port, "replication")


def written(port):
    return int(said(port)["master_repl_offset"])
