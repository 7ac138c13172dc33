"""A stack of its own for whoever measures: started on free ports in a temporary folder, asked by the command line."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ["api", "intake", "render", "plan", "email", "push", "sms", "receipts", "ledger"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_base():
    for base in range(26000, 60000, 40):
        for port in range(base, base + 25):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        else:
            return base
    raise SystemExit("no 25 free ports in a row")


def until(what, condition, seconds, every=0.05):
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise SystemExit(f"loadtest/figures: {what} did not happen within {seconds} s")
        time.sleep(every)


class Stack:
    def __init__(self, binaries, folder, base):
        self.binaries, self.dir, self.base = binaries, folder / ".semel", base
        self.smtp = base + 15  # ports_from() in services/cli/stack/plan.cpp
        self.peak = {}

    def semel(self, *args, check=True):
        done = subprocess.run([self.binaries / "semel", *map(str, args), "--dir", self.dir], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise SystemExit(f"semel {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *args):
        return json.loads(self.semel(*args, "--json"))

    def pids(self):
        """By name, of what its supervisor runs now."""
        found = {}
        for file in (self.dir / "run").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):  # it is just being written
                found[file.stem] = int(file.read_text())
        found.pop("supervisord", None)
        return found

    def sample_memory(self):
        pids = self.pids()
        for name in SERVICES:
            try:
                status = pathlib.Path(f"/proc/{pids[name]}/status").read_text()
            except (OSError, KeyError):
                continue
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            if found:
                self.peak[name] = max(self.peak.get(name, 0), int(found[1]) / 1024)

    def gateways(self, path, body=None):
        """The test gateways' control port (services/gateways/README.md)."""
        ask = urllib.request.Request(f"http://127.0.0.1:{self.base + 14}{path}", None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
        with urllib.request.urlopen(ask, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text.strip().startswith(b"{") else None

    def metrics(self, service):
        settings = (self.dir / "config" / "semel.yaml").read_text()
        port = re.search(rf"\b{service}: (\d+)", settings)[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def metric(self, service, name):
        """The sum of a metric's series."""
        return counted(self.metrics(service), name)

    def redis(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.base + 2), *words], capture_output=True, text=True, check=True).stdout

    def sql(self, query):
        dsn = f"postgresql://semel@127.0.0.1:{self.base + 3}/semel?passfile={self.dir}/config/postgres.pass"
        return subprocess.run(["psql", "-X", "-At", dsn, "-c", query], capture_output=True, text=True, check=True).stdout.strip()


def counted(text, name):
    """The sum of a metric's series, in what a service says of itself."""
    return sum(map(float, re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)", text, re.M)))


@contextlib.contextmanager
def stopped(stack, *services):
    """They stand still meanwhile: for less than the ten seconds after which their groups would miss them."""
    pids = [stack.pids()[name] for name in services]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def running(options, *how, before=lambda stack: None):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="semel-figures."))
    folder.chmod(0o755)
    base = free_base()
    stack = Stack(options.bin, folder, base)
    try:
        before(stack)
        say("starting the stack")
        stack.semel("up", "--port-base", base, *how)
        yield stack, folder
    finally:
        stack.semel("down", check=False)
        if options.keep:
            say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def options_of(description, people):
    parse = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--people", type=int, default=people)
    parse.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parse.add_argument("--keep", action="store_true", help="keep the folder with logs")
    return parse


def cpu_seconds_of(named):
    """By name: (in its own code, in the kernel for it) of each process with its children, those that ended included."""
    tick, stats = os.sysconf("SC_CLK_TCK"), {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        user, system, of_children, system_of_children = map(int, fields[11:15])
        stats[int(path.parent.name)] = (int(fields[1]), (user + of_children) / tick, (system + system_of_children) / tick)

    def of(pid):
        _, user, system = stats.get(pid, (0, 0.0, 0.0))
        for child, (parent, _, _) in stats.items():
            if parent == pid:
                more = of(child)
                user, system = user + more[0], system + more[1]
        return user, system
    return {name: of(pid) for name, pid in named.items()}


def smtp_source_words(port, messages, size, sessions):
    """Postfix's own load generator, each session kept open."""
    return ["/usr/sbin/smtp-source", "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size), "-f", "from@example.com",
            "-t", "to@example.com", f"127.0.0.1:{port}"]


def tell_all(stack, campaign, channel, seconds=900, look=lambda accepted: None):
    """Launches it and waits until it is finished: (accepted, seconds from the launch to the last acceptance in the ledger).
    `look` is called now and then meanwhile."""
    began = last = time.monotonic()
    accepted = 0
    stack.semel("campaign", "launch", campaign)

    def has_finished():
        nonlocal last, accepted
        status = stack.json("campaign", "status", campaign)
        now = time.monotonic()
        if (said := status["channels"].get(channel, {"accepted": 0})["accepted"]) > accepted:
            accepted, last = said, now
        stack.sample_memory()
        look(accepted)
        return status["state"] == "finished"
    until("the campaign's end", has_finished, seconds, every=0.3)  # not more often: a status costs what is measured
    return accepted, last - began


def write_audience(options, file, people, columns, only=""):
    """`only`: of push tokens, those of this kind; rows without one, or with another, are left out."""
    rows = people if not only else 10 * people  # a row has a push token, of either kind, with a probability of 0.55
    made = subprocess.Popen([options.bin / "semel-audience", "--rows", str(rows), "--columns", columns], stdout=subprocess.PIPE)
    others = {"apns": b"fcm:", "fcm": b"apns:"}.get(only, b"")
    with file.open("wb") as out:
        out.write(next(made.stdout))
        for line in made.stdout:
            if people > 0 and (not only or (only.encode() + b":" in line and others not in line)):
                out.write(line)
                people -= 1
    if made.wait() != 0 or people > 0:
        raise SystemExit(f"loadtest/figures: semel-audience made {people} rows too few")


def approved(stack, options, folder, people, columns, on_import=lambda: None, only="", notice=ROOT / "notices/follow-up", more=()):
    """A sealed and approved campaign of so many rows with such addresses, "email,push" say: (its id, rows, seconds of
    import, of registering)."""
    channels = columns.replace("phone", "sms")
    audience = folder / f"audience-{columns}-{only}{people}.csv"
    write_audience(options, audience, people, columns, only)
    campaign = stack.json("campaign", "create", "--name", "figures", "--notice", notice, "--channels", channels, *more)["id"]
    began = time.monotonic()
    wave = stack.json("audience", "add", campaign, audience, "--accept-unreachable")
    imported = time.monotonic()
    on_import()
    stack.semel("campaign", "seal", campaign)
    until("registering", lambda: all(w["state"] == "registered" for w in stack.json("campaign", "show", campaign)["waves"]), 600)
    registered = time.monotonic()
    stack.semel("campaign", "approve", campaign, "--as", "approver")
    return campaign, wave["rows"] - wave["rejected"], imported - began, registered - imported
