"""A campaign as an operator runs it, through faults: every step is asked for again until it is done."""
import json
import signal
import subprocess
import threading
import time

from . import kafka, people, protobuf, redis
from .gateways import GATEWAYS
from .stack import ROOT, Failed, wait_for

NOTICE = ROOT / "notices/follow-up"
ORDER = ("draft", "sealed", "approved", "running", "finished")


class Campaign:
    def __init__(self, stack, truth, policy="hold", after="15s", notice=NOTICE):
        self.stack, self.truth, self.policy, self.after, self.notice = stack, truth, policy, after, notice
        self.id = None
        self.deadline = None  # a time of its own, in whole seconds; None: far away
        self.testers = set()  # (channel, address) of those who got a test
        self.all_reported = False  # the message centre reports on each of its messages
        self.decisions = set()  # what an approver said about its doubts

    def create(self, deadline_in=None):
        words = ["campaign", "create", "--name", "Proof", "--notice", self.notice, "--in-doubt", self.policy,
                 "--in-doubt-after", self.after, "--dedup", self.truth.dedup]
        if deadline_in is not None:
            self.deadline = int(time.time() + deadline_in)
            words += ["--deadline", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.deadline))]
        self.id = self.stack.patient_json(*words)["id"]
        return self

    def test(self, colleagues):
        """Sends the notice to people of the house; not asked for again, because each request is a test of its own."""
        file = self.stack.dir / f"colleagues-{self.id}.csv"
        file.write_text(people.to_csv(colleagues), encoding="utf-8", newline="")
        self.stack.await_ready("api")
        for _, address in colleagues.places:
            self.stack.patient_json("test-address", "add", address, "--as", "approver")
        self.stack.json("campaign", "test", self.id, "--to", file)
        self.testers = {(channel, address) for channel, address in colleagues.places}

    def decide(self, word):
        """An approver decides about everything that is in doubt."""
        self.stack.patient_json("in-doubt", "resolve", self.id, f"--{word}", "--as", "approver")
        self.decisions.add(word)

    def add(self):
        """Uploads the audience and waits for its import. The same file again is the same wave."""
        file = self.stack.dir / f"audience-{self.id}.csv"
        file.write_text(people.to_csv(self.truth), encoding="utf-8", newline="")
        told = self.stack.patient_json("audience", "add", self.id, file, seconds=180)
        refused = sum(p.refused for p in self.truth.people)
        if (told["rows"], told["rejected"]) != (self.truth.rows, refused):
            raise Failed(f"import: {told} for {self.truth.rows} rows of which {refused} must be refused")

    def step(self, what, *options, until, seconds=120):
        """Asks for a step until the campaign is in its state, whatever fails meanwhile."""
        last = [None]

        def done():
            try:
                if ORDER.index(self.stack.json("campaign", "status", self.id)["state"]) >= ORDER.index(until):
                    return True
                self.stack.semel("campaign", what, self.id, *options)
            except (Failed, subprocess.TimeoutExpired) as error:
                last[0] = error
            return False
        try:
            wait_for(f"campaign {what}", done, seconds, every=0.3)
        except Failed as error:
            raise Failed(f"{error}: {last[0]}") from None

    def seal(self):
        self.step("seal", until="sealed")

    def approve(self):
        self.step("approve", "--as", "approver", until="approved")

    def launch(self):
        self.step("launch", until="running")

    def planned(self, channel):
        return len(self.truth.on(channel))

    def over(self):
        """Whether it has ended before all were told."""
        return self.deadline is not None and time.time() > self.deadline

    def accepted(self):
        """How many messages the gateways have, by channel: their files are read on from where they were."""
        counts = {}
        for name, file in self.stack.gateway_files().items():
            channel = GATEWAYS[name][1]
            counts[channel] = counts.get(channel, 0) + self.stack.tails.count(file)
        return counts


# Catching a process in the middle of its work

BEFORE, MIDDLE, DONE = "before", "middle", "done"


def kill_in_the_middle(stack, name, where, seconds=90):
    """Lets a process run in slices of some milliseconds until `where()` says that it is in the middle, and kills it
    there. Raises when its work was done in one slice."""
    deadline = time.monotonic() + seconds
    while True:
        at = where()
        if at == MIDDLE:
            pid = stack.signal(name, signal.SIGKILL)
            stack.await_other(name, pid)
            return
        if at == DONE:
            raise Failed(f"{name} was done before it could be caught in the middle")
        if time.monotonic() > deadline:
            raise Failed(f"{name} did not come to the middle of its work in {seconds} s")
        stack.signal(name, signal.SIGCONT, quiet=True)
        time.sleep(0.005)  # the slice
        stack.signal(name, signal.SIGSTOP, quiet=True)


def spans_done(stack, prefix):
    """How many of plan's spans, or of intake's waves, are said to be done."""
    return sum(1 for key, fields in kafka.progress(stack.bootstrap).items()
               if key.startswith(prefix) and protobuf.last(fields, 8, 0))


def written(stack, topic):
    """Records and markers in a topic, those of open transactions too: a question of milliseconds."""
    return sum(kafka.high_watermarks(stack.bootstrap, topic, 8).values())


def import_of(stack, campaign):
    """Where intake is: chunks are on their way to Kafka, and the wave has not ended."""
    before = written(stack, "audience")

    def where():
        if written(stack, "audience") == before:
            return BEFORE
        return DONE if spans_done(stack, f"intake|{campaign}|") else MIDDLE
    return where


def registering_of(stack, campaign):
    """Where plan is in its first pass: some addresses are in its register, and not all spans are done."""
    def where():
        entries, _ = redis.register(stack.port("redis"), campaign)
        if entries == 0:
            return BEFORE
        return DONE if spans_done(stack, f"register|{campaign}|") == 8 else MIDDLE
    return where


class Background:
    """A step that goes on while it is disturbed; its failure is raised at the end."""

    def __init__(self, function):
        self.error = None

        def work():
            try:
                function()
            except BaseException as error:  # whatever it is, it belongs to who waits
                self.error = error
        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def result(self, seconds):
        self.thread.join(seconds)
        if self.thread.is_alive():
            raise Failed(f"a step is still at work after {seconds} s")
        if self.error:
            raise self.error
