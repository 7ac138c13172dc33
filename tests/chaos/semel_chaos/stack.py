"""A Semel of its own: config, test gateways, servers and services in one folder, started by `semel up`.

The gateways are the ground truth, so they run beside the stack and not in it: nothing that is broken here reaches
them, and a proxy may stand between them and the dispatchers.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from .gateways import GATEWAYS, Control, Tails
from .smpp import Speech

ROOT = Path(__file__).resolve().parents[3]
DISPATCHERS = ("email", "push", "sms")
SERVICES = ("api", "intake", "render", "plan", *DISPATCHERS, "receipts", "ledger")
BACKING = ("kafka", "redis", "postgres")


PLAIN = ("same", 0)  # how the message centre speaks where nothing else is said
# What each gateway says to whoever is too fast, when a story lets it; and how many parts an SMS of the notice has, at least.
TOO_FAST = {"smtp": "421 4.7.0", "apns": "429", "fcm": "429", "smpp": "0x58"}
SMS_PARTS = 3


class Failed(Exception):
    """The harness cannot go on: the sentence says where and why."""


def wait_for(what, condition, seconds, every=0.1):
    """The condition's first true value; raises with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"after {seconds} s still not: {what}")
        time.sleep(every)


TAKEN = []  # a name in the kernel for each row of ports that is in use; it ends with this process


def free_base(count, dice=random):
    """The first of `count` free ports in a row. No other harness gets them while this process lives: its servers listen
    only some time later."""
    while True:
        base = 20_000 + dice.randrange(390) * 32
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind(f"\0semel-chaos-{base}")
        except OSError:
            mine.close()
            continue
        if all(port_is_free(base + i) for i in range(count)):
            TAKEN.append(mine)
            return base
        mine.close()


class Watch:
    """How late a thread that wants to run every few milliseconds gets to run: what a busy machine does to all."""

    def __init__(self):
        self.worst_s = 0.0
        threading.Thread(target=self.look, daemon=True).start()

    def look(self):
        while True:
            due = time.monotonic() + 0.01
            time.sleep(0.01)
            self.worst_s = max(self.worst_s, time.monotonic() - due)


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return None


# Offsets from the base port.
PORTS = {"kafka": 0, "controller": 1, "redis": 2, "postgres": 3, "api": 4,
         **{f"admin of {name}": 5 + i for i, name in enumerate(SERVICES)},
         "control": 14, "smtp": 15, "apns": 16, "fcm": 17, "smpp": 18,
         "smtp-gateway": 19, "apns-gateway": 20, "fcm-gateway": 21, "smpp-gateway": 22, "replica": 23, "former redis": 24}
KINDS = tuple(kind for kind, _ in GATEWAYS.values())


def may_mount():
    """Root may not, in a container."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], stderr=subprocess.DEVNULL).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


class Stack:
    """`rates`: gateway -> messages a second. `windows`: how many may be unanswered at each gateway."""

    WINDOWS = {"relay-a": 16, "apns": 2 * 20, "fcm": 2 * 20, "smsc-a": 32}

    def __init__(self, folder, binaries=ROOT / "build/release/bin", rates=None, proxied=False, environment=None, small_disk=False,
                 own_clocks=False):
        self.dir = Path(folder)
        self.binaries = Path(binaries)
        self.rates = rates or {}
        self.allowed = {}  # gateway -> submissions a second that it takes, when fewer than its rate
        self.proxied = proxied
        self.environment = {**os.environ, **(environment or {})}
        self.small_disk = small_disk and may_mount()  # else PostgreSQL's disk cannot be filled
        self.own_clocks = own_clocks
        self.base = free_base(len(PORTS))
        self.latency_ms = 0
        self.gateway_process = None
        self.proxies = None
        self.spoken = PLAIN
        self.keep_content = 50  # of the first ones, by the gateways: those of the first story's tests
        self.beside = []  # what runs beside the stack and ends with it
        self.campaigns = []  # the ids of those that are under way
        self.violations_seen = {}  # by gateway, of earlier campaigns
        self.tails = Tails()
        self.watch = Watch()

    def port(self, name):
        return self.base + PORTS[name]

    @property
    def config(self):
        return self.dir / "config"

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port('kafka')}"

    @property
    def dsn(self):
        passfile = urllib.parse.quote(str(self.config / "postgres.pass"), safe="/")
        return f"postgresql://semel@127.0.0.1:{self.port('postgres')}/semel?passfile={passfile}"

    # Starting and stopping

    def up(self):
        self.up_gateways()
        if self.small_disk:
            disk = self.dir / "data/postgres"
            disk.mkdir()
            run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=700", "tmpfs", disk])
        self.write_settings()
        if self.own_clocks:
            self.make_clocks()
        if self.proxied:
            from .proxy import Proxies
            self.proxies = Proxies({kind: (self.port(kind), self.port(f"{kind}-gateway")) for kind in KINDS})
        self.semel("up", "--config", self.dir / "semel.yaml")

    def share_account(self, shared):
        """Whether others send through the message centre's account, too: `receipts` is told by its settings."""
        file = self.config / "semel.yaml"
        told = file.read_text()
        wanted = told.replace(f"exclusive: {str(shared).lower()}", f"exclusive: {str(not shared).lower()}")
        if wanted != told:
            file.write_text(wanted)
            self.await_ready("receipts")
            self.await_other("receipts", self.signal("receipts", signal.SIGTERM))
            self.await_ready("receipts")

    def speak(self, ids, foreign):
        """How the message centre spells its ids from now on, and on how many other senders' messages it reports."""
        wanted = (ids, foreign)
        if wanted != self.spoken:
            self.spoken = wanted
            speech = None if wanted == PLAIN else lambda: Speech(ids, foreign, f"{ids} {time.time_ns()}")
            self.proxies.change("smpp", speech=speech)
            self.proxies.reset("smpp")

    def throttle(self, share):
        """What the gateways allow from now on, as a share of their rates in semel.yaml; they say nothing of it, but refuse."""
        parts = {"smsc-a": SMS_PARTS}  # a message centre counts these
        self.allowed = {name: max(1, int(rate * share * parts.get(name, 1))) for name, rate in self.rates.items()} if share < 1 else {}
        for name in self.rates:
            kind, _ = GATEWAYS[name]
            self.control.behave(**{kind: {"max_accepted_per_second": self.allowed.get(name, 0), "throttle_answer": TOO_FAST[kind]}})

    def make_clocks(self):
        """A wall clock of its own for each service."""
        shim = self.dir / "clock.so"
        run(["clang-19", "-O2", "-shared", "-fPIC", "-o", shim, Path(__file__).with_name("clock.c")])
        for name in SERVICES:
            self.set_clock(name, 0)
            (self.config / f"{name}.env").write_text(f"LD_PRELOAD={shim}\nSEMEL_CLOCK={self.clock_of(name)}\n")

    def clock_of(self, name):
        return self.dir / f"run/{name}.clock"

    def set_clock(self, name, seconds):
        """How far its wall clock is ahead of the machine's, from this moment on."""
        self.set_wrong(name, 0, int(seconds * 1_000_000))

    def cut_off(self, name, server):
        """A server that it cannot reach from this moment on, while everybody else does; None: it reaches all again."""
        self.set_wrong(name, 8, self.port(server) if server else 0)

    def set_wrong(self, name, at, value):
        """As clock.c reads it."""
        file = self.clock_of(name)
        if not file.exists():
            file.write_bytes(bytes(16))
        with open(file, "r+b", buffering=0) as out:
            out.seek(at)
            out.write(value.to_bytes(8, "little", signed=True))

    def up_gateways(self):
        """Only the ground truth, with what it needs to know its clients."""
        for name in ("config", "data/gateways", "log", "run"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        run([ROOT / "deploy/local/secrets", self.config])
        self.start_gateways()

    def down(self):
        try:
            for name in self.pids():
                self.signal(name, signal.SIGCONT, quiet=True)  # a stopped process cannot drain
            self.semel("down", check=False)
        finally:
            for one in self.beside:
                one.close()
            if self.proxies:
                self.proxies.close()
            if self.gateway_process:
                self.gateway_process.terminate()
                self.gateway_process.wait(20)
            if self.small_disk:
                run(["umount", "--lazy", self.dir / "data/postgres"], check=False)

    def write_settings(self):
        c = self.config
        rate = lambda name: f", rate: {self.rates[name]}/s" if name in self.rates else ""
        admin = ", ".join(f"{name}: {self.port(f'admin of {name}')}" for name in SERVICES)
        (self.dir / "semel.yaml").write_text(f"""\
kafka: {{bootstrap: "127.0.0.1:{self.port('kafka')}"}}
redis: {{address: "127.0.0.1:{self.port('redis')}"}}
postgres: {{dsn: "{self.dsn}", users: {{api: semel_api, ledger: semel_ledger, receipts: semel_receipts}}}}
api: {{address: "127.0.0.1:{self.port('api')}"}}
admin_ports: {{{admin}}}
partitions: 8
gateways:
  email:
    - {{name: relay-a, smtp: {{host: 127.0.0.1, port: {self.port('smtp')}, tls: none, connections: 16, helo: localhost, return_path_domain: bounces.example.com, verp_key_file: {c}/verp.key}}{rate('relay-a')}}}
  push:
    - {{name: apns, apns: {{endpoint: "https://127.0.0.1:{self.port('apns')}", ca: {c}/ca.pem, team_id: TEAM000001, key_id: KEY0000001, key_file: {c}/apns.p8, topic: com.example.shop, connections: 2, streams: 20}}{rate('apns')}}}
    - {{name: fcm, fcm: {{endpoint: "https://127.0.0.1:{self.port('fcm')}", ca: {c}/ca.pem, service_account: {c}/fcm.json, token_endpoint: "https://127.0.0.1:{self.port('fcm')}/token", connections: 2, streams: 20}}{rate('fcm')}}}
  sms:
    - {{name: smsc-a, smpp: {{host: 127.0.0.1, port: {self.port('smpp')}, system_id: semel, password_file: {c}/smpp.password, window: {self.WINDOWS['smsc-a']}, source_address: "15771577", exclusive: true}}{rate('smsc-a')}}}
""")

    def start_gateways(self):
        side = "-gateway" if self.proxied else ""
        listen = [{"kind": "control", "address": f"127.0.0.1:{self.port('control')}"}]
        listen += [{"kind": kind, "address": f"127.0.0.1:{self.port(kind + side)}"} for kind in KINDS]
        settings = {"listen": listen, "certificate": f"{self.config}/server.pem", "key": f"{self.config}/server.key",
                    "apns_public_key": f"{self.config}/apns.pub", "fcm_public_key": f"{self.config}/fcm.pub",
                    "smpp_system_id": "semel", "smpp_password_file": f"{self.config}/smpp.password",
                    "accepted": str(self.accepted),
                    "keep_content": self.keep_content}
        (self.dir / "gateways.json").write_text(json.dumps(settings, indent=1))
        log = open(self.dir / "gateways.log", "ab")  # not Semel's: it may name whom it accepts
        self.gateway_process = subprocess.Popen(
            [self.binaries / "semel-gateways", "--config", self.dir / "gateways.json"], stdout=log, stderr=log,
            stdin=subprocess.DEVNULL)
        ports = [int(entry["address"].rsplit(":", 1)[1]) for entry in listen]
        wait_for("the test gateways listen (gateways.log)", lambda: all(answers(p) for p in ports), 30)
        self.control = Control(self.port("control"))

    def slow(self, latency_ms):
        """From now on every gateway takes so long to answer."""
        self.latency_ms = latency_ms
        self.control.behave(all={"latency_ms": latency_ms, "jitter_ms": latency_ms // 2})

    @property
    def accepted(self):
        return self.dir / "data/gateways"

    def gateway_files(self):
        side = "-gateway" if self.proxied else ""
        return {name: self.accepted / f"{kind}-{self.port(kind + side)}.jsonl" for name, (kind, _) in GATEWAYS.items()}

    # The command line

    def semel(self, *words, check=True, timeout=120):
        """`semel WORDS... --dir DIR`; what it printed."""
        done = run([self.binaries / "semel", *words, "--dir", self.dir], check=check, timeout=timeout,
                   env=self.environment)
        return done.stdout

    def json(self, *words, timeout=120):
        out = self.semel(*words, "--json", timeout=timeout)
        try:
            return json.loads(out)
        except ValueError:
            raise Failed(f"`semel {' '.join(map(str, words))} --json` printed no JSON: {out[:300]!r}") from None

    def patient_json(self, *words, seconds=60):
        """A question that may come while the api or PostgreSQL is down."""
        def ask():
            try:
                return (self.json(*words),)  # an empty list is an answer, too
            except (Failed, subprocess.TimeoutExpired) as error:
                ask.last = error
                return None
        ask.last = None
        try:
            return wait_for(f"`semel {' '.join(map(str, words))}`", ask, seconds, every=0.5)[0]
        except Failed as error:
            raise Failed(f"{error}: {ask.last}") from None

    def scale(self, service, n):
        self.semel("scale", service, str(n))

    # Processes

    def pid(self, name):
        """Of a living process, or None."""
        try:
            pid = int((self.dir / f"run/{name}.pid").read_text())
        except (OSError, ValueError):
            return None
        try:
            os.kill(pid, 0)
            # A pid file may outlive its process and its number be given again: ours run below this folder's supervisor.
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return None
        except OSError:
            return None
        return pid

    def pids(self):
        names = sorted(path.stem for path in (self.dir / "run").glob("*.pid") if path.stem != "supervisord")
        return {name: pid for name in names if (pid := self.pid(name))}

    def processes(self):
        """Semel's own."""
        return [name for service in SERVICES for name in self.processes_of(service)]

    def processes_of(self, service):
        return [n for n in self.pids() if n == service or n.rsplit("-", 1)[0] == service and n.rsplit("-", 1)[1].isdigit()]

    def signal(self, name, number, quiet=False):
        pid = self.pid(name)
        if pid is None:
            if quiet:
                return None
            raise Failed(f"{name} does not run")
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return None
        return pid

    def signal_all(self, name, number):
        """A server and every process that it has started; their pids. The first one first: it starts no more."""
        pids = [self.signal(name, number)]
        for pid in pids:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            for child in map(int, children.read_text().split() if children.exists() else ()):
                os.kill(child, number)
                pids.append(child)
        return pids

    def kill(self, name):
        """kill -9; the pid that is gone. Waits for a process that is just being restarted."""
        wait_for(f"{name} runs, to be killed", lambda: self.pid(name), 30, every=0.05)
        return self.signal(name, signal.SIGKILL)

    def await_other(self, name, former, seconds=30):
        """Until the supervisor has started it again."""
        return wait_for(f"{name} is restarted after pid {former}",
                        lambda: (pid := self.pid(name)) and pid != former and pid, seconds, every=0.02)

    def ready(self, name):
        """Only the first process of a service has a port that is known; others are asked through `semel ps`."""
        if name in SERVICES:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port(f'admin of {name}')}/health/ready", timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False
        if name in ("kafka", "redis", "postgres"):
            return answers(self.port(name))
        return any(p["service"] == name and p["ready"] for p in self.json("ps"))

    def await_ready(self, *names, seconds=90):
        for name in names or (*BACKING, *SERVICES):
            wait_for(f"{name} is ready (log/{name}.log)", lambda: self.ready(name), seconds)

    def metric(self, service, name):
        """The sum of a metric's series; None when the service does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port(f'admin of {service}')}/metrics", timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return None
        values = [float(line.rsplit(" ", 1)[1]) for line in lines
                  if line.startswith(name) and line[len(name):len(name) + 1] in (" ", "{")]
        return sum(values) if values else None

    # Failpoints: only in the binaries of the preset `chaos`

    def failpoints(self, service):
        """The names of those that a service passes; none in a build without them."""
        done = run([self.binaries / f"semel-{service}", "--list-failpoints"], check=False)
        return done.stdout.split() if done.returncode == 0 else []

    def arm(self, name, point, hit=1):
        file = self.dir / f"run/{name}.failpoint"
        beside = file.with_suffix(".new")
        beside.write_text(f"{point}:{hit}\n")
        beside.rename(file)

    def disarmed(self, name):
        """Whether the process has taken the file."""
        return not (self.dir / f"run/{name}.failpoint").exists()

    def disarm(self, name):
        (self.dir / f"run/{name}.failpoint").unlink(missing_ok=True)

    # Campaigns

    def create(self, notice, *options):
        return self.json("campaign", "create", "--name", "Proof", "--notice", notice, *options)["id"]

    def phase(self, campaign):
        return self.patient_json("campaign", "status", campaign)["state"]

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def run(words, check=True, timeout=120, **more):
    words = [str(w) for w in words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=timeout, text=True, **more)
    if check and done.returncode != 0:
        raise Failed(f"`{' '.join(words)}` ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:].strip()}")
    return done
