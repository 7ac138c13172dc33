"""Reads a message with Python's own parser and prints what it saw, each field in hex: a judge that shares no code with Semel."""
import email
import email.policy
import sys

with open(sys.argv[1], "rb") as file:
    message = email.message_from_binary_file(file, policy=email.policy.default)


def show(name, value):
    print(name, value.encode("utf-8", "surrogateescape").hex())


defects = list(message.defects)
for part in message.walk():
    defects += part.defects
    for header in part.values():
        defects += getattr(header, "defects", ())
print("defects", len(defects))
print("headers", ",".join(message.keys()))
print("type", message.get_content_type())
show("subject", message["subject"])
show("from", message["from"].addresses[0].display_name)
show("sender", message["from"].addresses[0].addr_spec)
show("to", message["to"].addresses[0].addr_spec)
show("text", message.get_body(("plain",)).get_content())
show("html", message.get_body(("html",)).get_content())
