"""SMS of one part into one message centre, Semel's test gateway, with one window for all: Semel, Kannel with its spool, and a
client that does nothing else."""
import json
import sys
import time
import urllib.request

from bench_ground import HERE, ROOT, WINDOW, Account, command
from figures_stack import until

sys.path[:0] = [str(ROOT / "tests/peers"), str(ROOT / "tests/chaos")]
from beside import kannel as peer  # noqa: E402

KANNEL_MESSAGES = 30_000  # to hand one over takes it a millisecond
TEXTS = HERE / "notices/one-part"


def centre(ground, path, body=None):
    ask = urllib.request.Request(f"http://127.0.0.1:{ground.control}{path}", None if body is None else json.dumps(body).encode(),
                                 {"Content-Type": "application/json"})
    with urllib.request.urlopen(ask, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")


def accepted(ground, port):
    return sum(one["accepted"] for one in centre(ground, "/counts")["listeners"] if one["port"] == port)


def semel(ground, group):
    return ground.semel("sms", ground.options.people, ground.notice(group, TEXTS), "message centre")


def blaster(ground, group):
    text = (TEXTS / "sms.en.txt").read_text().strip()
    return command(ground.account("message centre"), "blaster",
                   [ground.options.bin / "semel-sms-rate", ground.smpp, ground.config / "smpp.password", WINDOW, text, ground.options.people])


def kannel(ground, group):
    """Handed over while its centre is closed, as Semel's people are imported before the launch; timed from the opening on. Its
    port of the centre is its own, so that nobody else's link is closed."""
    text = (TEXTS / "sms.en.txt").read_text().strip()
    port, people = ground.port("kannel's centre"), min(KANNEL_MESSAGES, ground.options.people)
    folder = ground.dir / f"kannel-{len(list(ground.dir.glob('kannel-*')))}"
    box = peer.Kannel(folder, ground.port("kannel"), port, (ground.config / "smpp.password").read_text().strip(), WINDOW, "spool")
    centre(ground, "/behaviour", {f"smpp-{port}": {"refuse_connections": True}})
    try:
        box.start()
        box.hand_over((f"+8210{n:08}", text) for n in range(people))
        before = accepted(ground, port)
        account = Account({"message centre": ground.servers["message centre"].pid, "bearerbox": box.bearerbox.pid})
        centre(ground, "/behaviour", {f"smpp-{port}": {"refuse_connections": False}})
        until("Kannel's first message", lambda: accepted(ground, port) > before, 60, every=0.01)
        began = time.monotonic()
        until("Kannel's last message", lambda: accepted(ground, port) - before >= people, 1800)
        return account.close(people, time.monotonic() - began)
    finally:
        box.stop()


CONTENDERS = {"semel": semel, "kannel spool": kannel, "blaster": blaster}
