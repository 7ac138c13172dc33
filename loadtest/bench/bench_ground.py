"""What everybody in `make bench` stands on: one stack, one sink or server for each channel, and one way to count."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "figures")]
from figures_stack import ROOT, approved, counted, cpu_seconds_of, say, tell_all, until  # noqa: E402

SESSIONS = 64  # of SMTP, for everybody: what `semel up` writes into its settings
WINDOW = 100  # of SMPP, for everybody
JARS = ROOT / "tests/peers/apns" / "target/lib"
OTHERS = ("postfix", "nghttpd", "kannel's centre", "kannel", "kannel 2", "kannel 3")  # their ports, behind the stack's
TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Sample:
    """One run of one of them."""
    messages: int
    seconds: float
    cpu: dict  # name -> (us in its own code, us in the kernel for it) for each message
    cores: dict  # share of all cores' time: user, kernel, interrupts, waiting for disks, idle
    more: dict = dataclasses.field(default_factory=dict)  # name -> number

    @property
    def rate(self):
        return self.messages / self.seconds


def cores_now():
    fields = list(map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    user, nice, system, idle, iowait, irq, softirq, steal = fields
    return {"user": user + nice, "kernel": system, "interrupts": irq + softirq, "disk": iowait, "idle": idle, "stolen": steal}


class Account:
    """CPU of these processes from its making on. What others used that have ended meanwhile is told by run()."""

    def __init__(self, named):
        self.named, self.before, self.cores, self.charged = named, cpu_seconds_of(named), cores_now(), {}

    def run(self, name, words):
        """Runs it to its end, and its CPU counts; what it printed."""
        with subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True) as process:
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"loadtest/bench: {name} ended with {process.returncode}: {' '.join(map(str, words))}")
        self.charged[name] = (usage.ru_utime, usage.ru_stime)
        return said

    def close(self, messages, seconds, **more):
        used = {name: tuple(now - then for now, then in zip(now, self.before[name]))
                for name, now in cpu_seconds_of(self.named).items()}
        spent = {name: now - self.cores[name] for name, now in cores_now().items()}
        busy = (sum(spent.values()) - spent["idle"] - spent["disk"]) / TICK
        cpu = {name: tuple(s * 1e6 / messages for s in pair) for name, pair in {**used, **self.charged}.items()}
        # Of the kernel's own threads and interrupts, of this script and of whatever else runs: nobody's account has it.
        rest = busy * 1e6 / messages - sum(sum(pair) for pair in cpu.values())
        cpu["(in nobody's account)"] = (0.0, rest)
        return Sample(messages, seconds, cpu, {name: ticks / max(1, sum(spent.values())) for name, ticks in spent.items()}, more)


def command(account, name, words, warm=0):
    """A sender that prints {"messages", "seconds"}; its CPU counts from its start, so with what it sent to get warm."""
    told = json.loads(account.run(name, words).strip().splitlines()[-1])
    sample = account.close(told["messages"] + warm, told["seconds"])
    sample.messages = told["messages"]
    return sample


def written_notice(made, *folders):
    """The example's notice, with the texts of these folders instead of its own."""
    shutil.copytree(ROOT / "notices/follow-up", made)
    for folder in folders:
        shutil.copytree(folder, made, dirs_exist_ok=True)
    return made


class Ground:
    def __init__(self, stack, folder, options):
        self.stack, self.dir, self.options = stack, folder, options
        self.config = stack.dir / "config"
        self.servers = {}
        # ports_from() in services/cli/stack/plan.cpp, and behind them those of the others.
        self.smtp, self.control, self.apns, self.fcm, self.smpp, self.others = stack.smtp, *(stack.base + n for n in (14, 16, 17, 18, 19))

    def port(self, name):
        return self.others + OTHERS.index(name)

    def start(self):
        self.serve("smtp-sink", self.smtp, ["/usr/sbin/smtp-sink", "-u", "nobody", f"127.0.0.1:{self.smtp}", "1024"])
        self.serve("push server", self.apns, ["java", "-cp", f"{JARS}/*:{HERE}/target/pushy", "PushyRate", "server", self.apns,
                                              self.config / "server.pem", self.config / "server.key"])
        settings = {"listen": [{"kind": kind, "address": f"127.0.0.1:{port}"} for kind, port in
                               (("control", self.control), ("fcm", self.fcm), ("smpp", self.smpp), ("smpp", self.port("kannel's centre")))],
                    "certificate": f"{self.config}/server.pem", "key": f"{self.config}/server.key",
                    "fcm_public_key": f"{self.config}/fcm.pub", "smpp_system_id": "semel",
                    "smpp_password_file": f"{self.config}/smpp.password", "accepted": f"{self.dir}/accepted"}
        file = self.dir / "gateways.json"
        file.write_text(json.dumps(settings))
        self.serve("message centre", self.control, [self.options.bin / "semel-gateways", "--config", file])
        self.point_dispatchers()

    def serve(self, name, port, words):
        log = open(self.dir / f"{name.replace(' ', '-')}.out", "ab")
        self.servers[name] = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until(f"{name} listening", lambda: listening(port), 30)

    def point_dispatchers(self):
        """pushy's server answers for Google as well (the tokens come from the test gateway); the centre's window is everybody's;
        no rate is set that the others do not have."""
        file = self.config / "semel.yaml"
        told = file.read_text()
        wanted = told.replace(f'fcm: {{endpoint: "https://127.0.0.1:{self.fcm}"', f'fcm: {{endpoint: "https://127.0.0.1:{self.apns}"')
        wanted = wanted.replace("window: 64", f"window: {WINDOW}").replace(", rate: 20000/s", "")
        if wanted.count(f"127.0.0.1:{self.apns}") != 2 or f"window: {WINDOW}" not in wanted or "rate:" in wanted:
            raise SystemExit("loadtest/bench: services/cli/stack/plan.cpp writes other settings than bench_ground.py expects")
        file.write_text(wanted)
        restarted = ("email", "push", "sms")
        for name in restarted:
            former = self.stack.pids()[name]
            os.kill(former, signal.SIGTERM)
            until(f"{name} started again", lambda: self.stack.pids().get(name, former) != former, 60)
        until("they are ready", lambda: all(one["ready"] for one in self.stack.json("ps") if one["service"] in restarted), 60)

    def stop(self):
        for process in self.servers.values():
            process.terminate()
            process.wait(20)

    def account(self, *servers):
        return Account({name: self.servers[name].pid for name in servers})

    def notice(self, name, *folders):
        made = self.dir / f"notice-{name}"
        return made if made.exists() else written_notice(made, *folders)

    def preview(self, notice, channel):
        """The folder with the Korean text, which 19 of 20 people get."""
        out = self.dir / f"preview-{notice.name}-{channel}"
        if not out.exists():
            self.stack.semel("notice", "preview", notice, "--channel", channel, "--locale", "ko", "--out", out)
        return out

    # Semel's own line

    def semel(self, channel, people, notice, server):
        """A whole campaign, from its upload to its end; what is timed is from the launch to the last outcome in the ledger."""
        before = self.stored()
        columns = {"sms": "phone"}.get(channel, channel)
        campaign, rows, _, _ = approved(self.stack, self.options, self.dir, people, columns, self.stack.sample_memory, notice)
        registered, transactions = self.stored(), self.transactions(channel)
        account = Account({**self.stack.pids(), server: self.servers[server].pid})
        claims = []
        accepted, seconds = tell_all(self.stack, campaign, channel, 1800,
                                     lambda so_far: so_far < rows / 3 or claims or claims.append(self.bytes_of_a_claim()))
        report = self.stack.json("campaign", "report", campaign)
        if report["rows"] != sum(report["coverage"].values()):
            raise SystemExit(f"loadtest/bench: the coverage does not close: {report}")
        sample = account.close(accepted, seconds)
        after = self.stored()
        sample.more = {"disk Kafka": (after["kafka"] - before["kafka"]) / accepted,
                       "disk PostgreSQL": (after["postgres"] - before["postgres"]) / accepted,
                       "Redis a leader": (registered["redis"] - before["redis"]) / rows,
                       **{"Redis a claim": size for size in claims if size},
                       **{f"transaction {name}": 1000 * (total - transactions[name][0]) / max(1, count - transactions[name][1])
                          for name, (total, count) in self.transactions(channel).items()}}
        return sample

    def bytes_of_a_claim(self):
        """Of the blocks that stand now (common/delivery/redis/claims.hpp), with their keys; None when there are none."""
        blocks = self.stack.redis("--scan", "--pattern", "{d:*}:c:*").split()[:50]
        sizes = [(self.stack.redis("memory", "usage", block, "samples", "0").strip(), self.stack.redis("hlen", block).strip()) for block in blocks]
        sizes = [(int(size), int(entries)) for size, entries in sizes if size and int(entries)]  # one may have gone meanwhile
        return sum(size for size, _ in sizes) / sum(entries for _, entries in sizes) if sizes else None

    def transactions(self, channel):
        """Of each that says so: (seconds in transactions, transactions)."""
        found = {}
        for service, name in ((channel, "semel_delivery_commit_seconds"), ("plan", "semel_plan_transaction_seconds"),
                              ("receipts", "semel_receipts_transaction_seconds"), ("ledger", "semel_ledger_transaction_seconds")):
            text = self.stack.metrics(service)
            if f"{name}_count" in text:
                found["dispatcher" if service == channel else service] = (counted(text, f"{name}_sum"), counted(text, f"{name}_count"))
        return found

    def stored(self):
        """Bytes: of records in Kafka's topics, of the database, of Redis's data."""
        logs = self.stack.dir.glob("data/kafka/*/*.log")
        size = 0
        for log in logs:
            if not log.parent.name.startswith("__"):
                with contextlib.suppress(OSError):  # compacted away meanwhile
                    size += log.stat().st_size
        return {"kafka": size, "redis": int(re.search(r"used_memory_dataset:(\d+)", self.stack.redis("info", "memory"))[1]),
                "postgres": int(self.stack.sql("SELECT pg_database_size('semel')"))}


@contextlib.contextmanager
def standing(stack, folder, options):
    ground = Ground(stack, folder, options)
    try:
        ground.start()
        yield ground
    finally:
        ground.stop()


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


__all__ = ["HERE", "JARS", "ROOT", "SESSIONS", "WINDOW", "Account", "Ground", "Sample", "command", "listening", "say", "standing", "written_notice"]
