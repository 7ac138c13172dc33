"""Debian's Kannel as its users run it: bearerbox, which keeps the messages and speaks SMPP, and smsbox, which takes them over
HTTP. Everything in one folder; the system's own service stays off."""
import http.client
import os
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml
from pathlib import Path

from semel_chaos.stack import ROOT, Failed, answers, run, wait_for

PORTS = ("admin", "box", "sendsms")  # offsets from its base
WORD = "loopback"  # of the admin and of the only user: nothing here listens longer than a run


def install():
    """Its version. Debian would start it at every boot from now on: it shall not."""
    known = lambda: run(["dpkg-query", "--show", "--showformat=${Version}", "kannel"], check=False).stdout.strip()
    if not known():
        subprocess.run([ROOT / "deploy/packages", "kannel"], check=True, stdout=subprocess.DEVNULL)
        run([*([] if os.geteuid() == 0 else ["sudo"]), "/usr/sbin/update-rc.d", "kannel", "disable"])
    return known()


class Kannel:
    """`store`: none, spool (a file for each message) or file (one file)."""

    def __init__(self, folder, base, centre_port, centre_password, window, store):
        self.dir, self.base, self.window, self.store = Path(folder), base, window, store
        self.centre_port, self.centre_password = centre_port, centre_password
        self.bearerbox = self.smsbox = None

    def port(self, name):
        return self.base + PORTS.index(name)

    def write_settings(self):
        self.dir.mkdir(parents=True)
        place = {"none": "", "spool": self.dir / "spool", "file": self.dir / "store"}[self.store]
        if self.store == "spool":
            place.mkdir()
        store = f"store-type = {self.store}\nstore-location = {place}" if place else ""
        (self.dir / "kannel.conf").write_text(f"""\
group = core
admin-port = {self.port('admin')}
admin-password = {WORD}
smsbox-port = {self.port('box')}
box-allow-ip = 127.0.0.1
log-file = {self.dir}/bearerbox.log
log-level = 2
{store}

group = smsc
smsc = smpp
smsc-id = sink
host = 127.0.0.1
port = {self.centre_port}
transceiver-mode = true
smsc-username = semel
smsc-password = {self.centre_password}
system-type = ""
max-pending-submits = {self.window}
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {self.port('sendsms')}
log-file = {self.dir}/smsbox.log
log-level = 2

group = sendsms-user
username = {WORD}
password = {WORD}
max-messages = 1
""")

    def start(self):
        self.write_settings()
        self.start_bearerbox()
        self.start_smsbox()

    def start_bearerbox(self):
        self.bearerbox = self.spawn("bearerbox")
        self.await_port("admin", "bearerbox")

    def start_smsbox(self):
        self.smsbox = self.spawn("smsbox")
        self.await_port("sendsms", "smsbox")

    def spawn(self, name):
        log = open(self.dir / f"{name}.out", "ab")
        return subprocess.Popen([f"/usr/sbin/{name}", "-v", "4", self.dir / "kannel.conf"], cwd=self.dir, stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL)

    def await_port(self, port, name):
        process = getattr(self, name)

        def ready():
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}: {(self.dir / (name + '.out')).read_text()[-800:]}")
            return answers(self.port(port))
        wait_for(f"{name} listens on {self.port(port)} ({self.dir}/{name}.log)", ready, 60)

    def hand_over(self, messages, threads=8):
        """Each (address, text) over HTTP until Kannel has said that it has it; raises when it does not."""
        todo = iter(messages)
        lock = threading.Lock()
        errors = []

        def work():
            link = http.client.HTTPConnection("127.0.0.1", self.port("sendsms"), timeout=30)
            while not errors:
                with lock:
                    one = next(todo, None)
                if one is None:
                    return link.close()
                try:
                    self.submit(link, *one)
                except (OSError, http.client.HTTPException, Failed) as error:
                    errors.append(error)
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if errors:
            raise Failed(f"Kannel did not take a message: {errors[0]!r}")

    def submit(self, link, address, text):
        query = urllib.parse.urlencode({"username": WORD, "password": WORD, "from": "15771577", "to": address, "text": text,
                                        "charset": "UTF-8", "coding": 0})
        link.request("GET", f"/cgi-bin/sendsms?{query}")
        answer = link.getresponse()
        said = answer.read()
        if answer.status != 202:  # "accepted for delivery" and "queued for later delivery" alike
            raise Failed(f"{answer.status} {said[:100]!r}")

    def queued(self):
        """How many messages it still has to send; None while it cannot say, or has no link to the centre."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port('admin')}/status.xml?password={WORD}", timeout=5) as answer:
                said = xml.fromstring(answer.read())
        except (OSError, xml.ParseError):
            return None
        if not said.findtext("smscs/smsc/status", "").startswith("online"):
            return None
        return int(said.findtext("sms/sent/queued")) + int(said.findtext("smscs/smsc/queued"))

    def kill(self):
        """kill -9 of the process that has the messages and the link, which is started again at once."""
        self.bearerbox.send_signal(signal.SIGKILL)
        time_us = time.time_ns() // 1000
        self.bearerbox.wait()
        self.start_bearerbox()
        return time_us

    def stop(self):
        for process in (self.smsbox, self.bearerbox):
            if process and process.poll() is None:
                process.terminate()
        for process in (self.smsbox, self.bearerbox):
            try:
                process and process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
