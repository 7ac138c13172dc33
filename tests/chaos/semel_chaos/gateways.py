"""The test gateways: what they accepted, by their own files, and how they are told to behave (services/gateways/README.md)."""
import base64
import email
import email.header
import json
import re
import threading
import urllib.error
import urllib.request

# semel.yaml's name -> the gateway's kind and channel.
GATEWAYS = {"relay-a": ("smtp", "email"), "apns": ("apns", "push"), "fcm": ("fcm", "push"), "smsc-a": ("smpp", "sms")}


def read_accepted(name, file):
    """What the file says, as the fields of checker.Accept: one for each message, or for each part of an SMS."""
    kind, channel = GATEWAYS[name]
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        said = json.loads(line)
        yield {"channel": channel, "gateway": name, "address": canonical(kind, said["address"]),
               "message_id": said["gateway_message_id"], "time_us": said["time_us"],
               "part": max(1, said.get("part") or 0), "parts": max(1, said.get("parts") or 0),
               "sha256": said["sha256"], "id": said.get("id", "").lower(), "marked": marked(kind, said.get("content"))}


TEST_MARK = "TEST"  # "[TEST] "; brackets take two bytes in the alphabet of an SMS


def marked(kind, content):
    """Whether a message says that it is a test. None: its content was not kept."""
    if content is None:
        return None
    data = base64.b64decode(content)
    if kind == "smtp":
        subject = email.message_from_bytes(data)["Subject"] or ""
        return TEST_MARK in str(email.header.make_header(email.header.decode_header(subject)))
    return any(TEST_MARK.encode(code) in data for code in ("ascii", "utf-16-be"))


def canonical(kind, address):
    """As the audience has it: the truth knows one spelling only."""
    return {"smtp": str.lower, "apns": lambda a: "apns:" + a.lower(), "fcm": lambda a: "fcm:" + a,
            "smpp": lambda a: a if a.startswith("+") else "+" + a}[kind](address)


class Tails:
    """Counts messages in files that grow, reading each byte once."""

    FIRST_PART = re.compile(rb'"part": ?[01]\b')

    def __init__(self):
        self.at, self.messages = {}, {}
        self.lock = threading.Lock()

    def count(self, file):
        with self.lock:
            try:
                with open(file, "rb") as opened:
                    opened.seek(self.at.get(file, 0))
                    data = opened.read()
            except FileNotFoundError:
                return 0
            whole = data[:data.rfind(b"\n") + 1]
            self.at[file] = self.at.get(file, 0) + len(whole)
            new = len(self.FIRST_PART.findall(whole)) if b'"part"' in whole else whole.count(b"\n")
            self.messages[file] = self.messages.get(file, 0) + new
            return self.messages[file]


class Control:
    def __init__(self, port):
        self.port = port

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data,
                                         {"Content-Type": "application/json"} if data else {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path} {body}: {error.code} {error.read()[:300]!r}") from None
        return json.loads(text) if text.strip().startswith((b"{", b"[")) else None

    def behave(self, **sections):
        self.ask("/behaviour", sections)

    def disconnect(self, kind):
        self.ask("/disconnect", {"kind": kind})

    def counts(self, kind=None):
        """Listener by listener; of one kind: the sum of the numbers."""
        listeners = self.ask("/counts")["listeners"]
        if kind is None:
            return listeners
        out = {}
        for listener in listeners:
            if listener["kind"] == kind:
                for name, value in listener.items():
                    if isinstance(value, int) and name != "port":
                        out[name] = out.get(name, 0) + value
        return out
