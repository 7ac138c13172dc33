"""Pushes of some 300 bytes: Semel for Apple's and Google's devices, Semel's Apple gateway alone, pushy, apns2, all into
pushy's own server for measurements; and h2load into nghttpd, what HTTP/2 allows here."""
import time

from bench_ground import HERE, JARS, command, listening
from figures_stack import until

TIMES = 6  # as many pushes of a client alone as of Semel: at their pace these take a few seconds
WARM = 2  # as many before them: Java compiles while it sends


def semel(ground, group):
    return ground.semel("push", ground.options.people, ground.notice(group), "push server")


def payload(ground, group):
    return ground.preview(ground.notice(group), "push") / "apns.json"


def alone(name, words):
    """As the three clients take them: port (or URL), CA, key, team, key id, topic, payload, warm-up, count."""
    def measure(ground, group):
        warm, count = WARM * ground.options.people, TIMES * ground.options.people
        place = f"https://127.0.0.1:{ground.apns}" if name == "apns2" else ground.apns
        key = [ground.config / "apns.p8", "TEAM000001", "KEY0000001", "com.example.shop"]
        return command(ground.account("push server"), name,
                       [*words(ground), place, ground.config / "ca.pem", *key, payload(ground, group), warm, count], warm)
    return measure


def h2load(ground, group):
    """Into nghttpd, which does nothing with what it gets; its 404 is an answer like any other."""
    port, count = ground.port("nghttpd"), TIMES * ground.options.people
    if "nghttpd" not in ground.servers:
        ground.serve("nghttpd", port, ["nghttpd", "-n1", "-d", ground.dir, port, ground.config / "server.key", ground.config / "server.pem"])
    until("nghttpd listening", lambda: listening(port), 10)
    words = ["h2load", "-t", "1", "-c", "4", "-m", "100", "-n", count, "-d", payload(ground, group), f"https://127.0.0.1:{port}/3/device/0"]
    account, began = ground.account("nghttpd"), time.monotonic()
    account.run("h2load", words)
    return account.close(count, time.monotonic() - began)


CONTENDERS = {
    "semel": semel,
    "pushy": alone("pushy", lambda ground: ["java", "-cp", f"{JARS}/*:{HERE}/target/pushy", "PushyRate", "client"]),
    "semel gateway alone": alone("semel gateway alone", lambda ground: [ground.options.bin / "semel-push-rate"]),
    "apns2": alone("apns2", lambda ground: [HERE / "target/apns2-rate"]),
    "h2load": h2load,
}
