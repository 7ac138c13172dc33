"""Mails into Postfix's smtp-sink: Semel, the wire, Postfix as a relay, nodemailer."""
import os
import pathlib
import pwd
import subprocess
import time

from bench_ground import HERE, SESSIONS, Account, command, listening
from figures_stack import smtp_source_words, until

# Two sizes of one notice: its own texts render to about 8.5 KB, the short ones to about 4.
SIZES = {"email-4k": [HERE / "notices/short"], "email-8k": []}
POSTFIX_MESSAGES = 10_000  # it takes 2.8 ms for each


def mail(ground, group):
    """A file with a mail as Semel writes it."""
    return next(ground.preview(ground.notice(group, *SIZES[group]), "email").rglob("*.eml"))


def semel(ground, group):
    return ground.semel("email", ground.options.people, ground.notice(group, *SIZES[group]), "smtp-sink")


def wire(ground, group):
    account, messages, began = ground.account("smtp-sink"), ground.options.people, time.monotonic()
    account.run("smtp-source", smtp_source_words(ground.smtp, messages, mail(ground, group).stat().st_size, SESSIONS))
    return account.close(messages, time.monotonic() - began)


def nodemailer(ground, group):
    return command(ground.account("smtp-sink"), "nodemailer",
                   ["node", HERE / "mailer/send.js", ground.smtp, ground.options.people, SESSIONS, mail(ground, group)])


class Postfix:
    """A Postfix of its own in one folder, that relays all it gets into the sink. Only root can start one."""

    def __init__(self, ground):
        self.dir, self.port = ground.dir / "postfix", ground.port("postfix")
        self.config = self.dir / "config"
        self.write_settings(ground.smtp)

    def write_settings(self, sink):
        for name in ("config", "queue", "data"):
            (self.dir / name).mkdir(parents=True)
        os.chown(self.dir / "data", pwd.getpwnam("postfix").pw_uid, -1)
        (self.config / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
smtp_connection_cache_destinations = [127.0.0.1]:{sink}
smtpd_peername_lookup = no
in_flow_delay = 0
default_process_limit = 200
default_destination_concurrency_limit = {SESSIONS}
""")
        master = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
        lines = [line for line in master.splitlines() if not line.startswith(("smtp      inet", "submission", "smtps"))]
        # Nothing is chrooted: this queue directory has no libraries in it.
        lines = [line.replace("  y  ", "  n  ") for line in lines]
        lines.append(f"127.0.0.1:{self.port} inet n - n - - smtpd")
        (self.config / "master.cf").write_text("\n".join(lines) + "\n")

    def run(self, *words):
        subprocess.run(["/usr/sbin/postfix", "-c", self.config, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def waiting(self):
        return any(files for name in ("maildrop", "incoming", "active", "deferred")
                   for _, _, files in os.walk(self.dir / "queue" / name))

    def master(self):
        return int((self.dir / "queue/pid/master.pid").read_text())


def postfix(ground, group):
    if os.geteuid() != 0:
        return None
    messages = min(POSTFIX_MESSAGES, ground.options.people)
    relay = ground.postfix = getattr(ground, "postfix", None) or Postfix(ground)
    relay.run("start")
    try:
        until("Postfix listening", lambda: listening(relay.port), 30)
        account = Account({"smtp-sink": ground.servers["smtp-sink"].pid, "postfix": relay.master()})
        began = time.monotonic()
        account.run("smtp-source", smtp_source_words(relay.port, messages, mail(ground, group).stat().st_size, SESSIONS))
        until("Postfix's queue is empty", lambda: not relay.waiting(), 600)
        seconds = time.monotonic() - began
        return account.close(messages, seconds)
    finally:
        relay.run("stop")


CONTENDERS = {"semel": semel, "smtp-source": wire, "nodemailer": nodemailer, "postfix": postfix}
