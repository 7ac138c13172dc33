"""Reads topics as they lie in Kafka, through kcat."""
import base64
import re
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import protobuf
from .stack import Failed

CHANNELS = ("email", "push", "sms")
TIERS = ("10s", "1m", "10m", "1h", "parked")
DISPATCH = tuple(f"dispatch.{c}" for c in CHANNELS)
RETRY = tuple(f"retry.{c}.{t}" for c in CHANNELS for t in TIERS)
PERSONAL = (*DISPATCH, *RETRY, "audience", "events", "progress", "feedback", "doubts", "gateway.receipts",
            "intake.work", "dead-letter", "control")


def records(bootstrap, topic, start="beginning"):
    """(partition, offset, key, value) of every committed record; nothing for a topic that does not exist."""
    for partition, offset, _, key, value in timed_records(bootstrap, topic, start):
        yield partition, offset, key, value


def timed_records(bootstrap, topic, start="beginning"):
    """The same with the record's time in ms after the offset: the broker's where the topic takes its own."""
    done = subprocess.run(
        ["kcat", "-C", "-q", "-e", "-b", bootstrap, "-t", topic, "-o", start, "-X", "isolation.level=read_committed",
         "-X", "check.crcs=true",
         "-X", "fetch.wait.max.ms=10",  # a partition's end is an answer without records, for which a broker takes its time
         "-f", "%p %o %T %K %S\n%k%s\n"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=300)
    if done.returncode != 0:
        if b"Unknown topic" in done.stderr or b"UNKNOWN_TOPIC" in done.stderr:
            return
        raise Failed(f"kcat cannot read {topic}: {done.stderr[-300:].decode(errors='replace')}")
    data, at = done.stdout, 0
    while at < len(data):
        line = data.index(b"\n", at)
        partition, offset, time_ms, key_size, size = map(int, data[at:line].split())
        at = line + 1
        # A null is printed as nothing and has the size -1.
        key = data[at:at + key_size] if key_size >= 0 else None
        at += max(0, key_size)
        value = data[at:at + size] if size >= 0 else None
        at += max(0, size) + 1
        yield partition, offset, time_ms, key, value


def each(topics, look):
    """What `look(topic)` says of each, in order, some at once: most of the time goes by in waiting. What they return should be
    less than the topic."""
    with ThreadPoolExecutor(3) as readers:
        return list(readers.map(look, topics))


def high_watermarks(bootstrap, topic, partitions):
    """The offsets that the next records will have, transactions that are still open included."""
    wanted = [word for p in range(partitions) for word in ("-t", f"{topic}:{p}:-1")]
    done = subprocess.run(["kcat", "-Q", "-b", bootstrap, *wanted], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, timeout=30, text=True)
    return {int(p): int(o) for p, o in re.findall(r"\[(\d+)\] offset (\d+)", done.stdout)}


def since(time_us):
    """Where records begin that came after a moment; for topics whose time is the broker's."""
    return f"s@{time_us // 1000}" if time_us else "beginning"


def events(bootstrap, since_us=0):
    """Every event as (id in hex, kind, notification in hex, campaign)."""
    for _, _, _, value in records(bootstrap, "events", since(since_us)):
        for raw in protobuf.fields(value or b"").get(1, ()):
            event = protobuf.fields(raw)
            yield (protobuf.last(event, 1, b"").hex(), protobuf.last(event, 2, 0), protobuf.last(event, 5, b"").hex(),
                   protobuf.last(event, 3, b"").decode())


# Numbers of EventKind, Channel and ReceiptState.
EVENT_ACCEPTED, EVENT_FAILED, EVENT_RESENT, EVENT_RECEIPT = 10, 11, 15, 20
SMS = 3
PROVING = (1, 2, 3, 4, 5)  # delivered, bounced, complained, read, on its way


def told(bootstrap, since_us=0):
    """(campaign, notification in hex, "accepted", "resent" or "expired", time in ms, attempt) of every event that says so. A
    receipt of an SMS may be of one of its parts: it says nothing by itself."""
    for _, _, time_ms, _, value in timed_records(bootstrap, "events", since(since_us)):
        for raw in protobuf.fields(value or b"").get(1, ()):
            event = protobuf.fields(raw)
            kind, code = protobuf.last(event, 2, 0), protobuf.last(event, 9, b"").decode()
            proof = kind == EVENT_RECEIPT and protobuf.last(event, 18, 0) in PROVING and protobuf.last(event, 6, 0) != SMS
            what = "accepted" if kind == EVENT_ACCEPTED or proof else \
                "resent" if kind == EVENT_RESENT and code == "semel:policy" else \
                "expired" if kind == EVENT_FAILED and code == "semel:expired" else None
            if what:
                yield (protobuf.last(event, 3, b"").decode(), protobuf.last(event, 5, b"").hex(), what, time_ms,
                       protobuf.last(event, 7, 0))


def named(bootstrap):
    """(notification in hex or the first half of it, "accepted", time in ms, 0) of every report of gateway.receipts that
    names its message itself and proves that it was accepted."""
    for _, _, time_ms, _, value in timed_records(bootstrap, "gateway.receipts"):
        receipt = protobuf.fields(value or b"")
        if protobuf.last(receipt, 4, 0) in PROVING and protobuf.last(receipt, 10, b""):
            yield protobuf.last(receipt, 10, b"").hex(), "accepted", time_ms, 0


def dispatches(bootstrap, topics):
    """(campaign, notification in hex, attempt, whether it is a test) of every record of dispatch.* or retry.*"""
    def look(topic):
        found = []
        for _, _, _, value in records(bootstrap, topic):
            if value:
                dispatch = protobuf.fields(value)
                found.append((protobuf.last(dispatch, 1, b"").decode(), protobuf.last(dispatch, 2, b"").hex(),
                              protobuf.last(dispatch, 4, 0), bool(protobuf.last(dispatch, 12, 0))))
        return found
    for found in each(topics, look):
        yield from found


def progress(bootstrap):
    """key -> the fields of the latest Progress."""
    out = {}
    for _, _, key, value in records(bootstrap, "progress"):
        if value:
            out[(key or b"").decode()] = protobuf.fields(value)
        else:
            out.pop((key or b"").decode(), None)
    return out


def committed(bootstrap, groups):
    """(group, topic, partition) -> (offset, metadata): the latest of `__consumer_offsets`, which is Kafka's own."""
    out = {}
    for _, _, key, value in records(bootstrap, "__consumer_offsets"):
        if not key or struct.unpack_from(">h", key)[0] not in (0, 1):
            continue
        group, at = text(key, 2)
        topic, at = text(key, at)
        partition = struct.unpack_from(">i", key, at)[0]
        if group not in groups:
            continue
        if value is None:
            out.pop((group, topic, partition), None)
            continue
        version, offset = struct.unpack_from(">hq", value)
        at = 10 + (4 if version >= 3 else 0)  # the leader epoch
        if version >= 4:  # compact: a varint of the length and one
            size, at = protobuf.varint(value, at)
            metadata = value[at:at + size - 1].decode()
        else:
            metadata = text(value, at)[0]
        out[group, topic, partition] = offset, metadata
    return out


def text(data, at):
    size = struct.unpack_from(">h", data, at)[0]
    return data[at + 2:at + 2 + size].decode(), at + 2 + size


def checkpoint(metadata):
    """What a dispatcher wrote beside its offset: owner, marker, reserved beyond the offset. None: nothing yet."""
    if not metadata:
        return None
    data = base64.b64decode(metadata)
    owner, _, marker, span = struct.unpack_from(">QQ16sQ", data, 1)
    return owner, marker, span
