"""dkimpy as a judge: verify.py DIR prints "pass" or "fail" for each DKIM signature of DIR/message.eml, with DIR/dns.json
(name -> text) in place of DNS."""

import json
import pathlib
import sys

import dkim

folder = pathlib.Path(sys.argv[1])
records = json.loads((folder / "dns.json").read_text())
message = (folder / "message.eml").read_bytes()


def dns(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode() or None


signatures = message.lower().count(b"dkim-signature:")
for i in range(signatures):
    try:
        print("pass" if dkim.DKIM(message).verify(idx=i, dnsfunc=dns) else "fail: the signature does not match")
    except dkim.DKIMException as e:
        print("fail:", e)
