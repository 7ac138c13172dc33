"""A made-up audience and the truth about it.

Addresses have one spelling only, so that what two people share is known without any canonical form. Every name and
address carries a mark (MARKS): wherever one of these patterns turns up, personal data has leaked.
"""
import csv
import io
import random
import re
from dataclasses import dataclass, field

CHANNELS = ("email", "push", "sms")
SERIES = 100  # audiences of up to 100,000 that have no address in common

# Mail goes to a reserved domain. The phone numbers are of the kind that people have: never for a real gateway.
NAME_MARK = {"ko": "김카나리", "en": "Canary Quillfeather"}
MAIL_MARK = "canary-"
TOKEN_MARK = "ca7a12c0ffee"
NUMBER_MARK = "+82103"

MARKS = (
    re.compile(rb"(?i)canary[- _](?:quill|\d)"),
    re.compile(NAME_MARK["ko"].encode()),
    # As JSON escapes it, as RFC 2047 and base64 would show it.
    re.compile(rb"(?i)\\uae40\\uce74\\ub098\\ub9ac"),
    re.compile(rb"(?<![0-9a-fA-F.])(?:\+?82 ?|0)10[- ]?3\d{3}[- ]?\d{4}(?![0-9a-fA-F])"),
    re.compile(rb"(?i)ca7a12c0ffee"),
    # As PostgreSQL prints bytes.
    re.compile(rb"(?i)63616e6172792d3\d|63616e617279205175|eab980ecb9b4eb8298eba6ac|2b38323130333"),
)


@dataclass
class Person:
    row: int  # of the file, from 1
    recipient_id: str
    locale: str
    name: str
    email: str = ""
    sms: str = ""
    push: str = ""
    segments: str = ""
    refused: bool = False  # the row must be refused at import
    double: bool = False  # the id stands in an earlier row: counted as repeated, its addresses are told all the same

    def address(self, channel):
        return "" if self.refused else getattr(self, channel)


@dataclass
class Truth:
    """What must become of an audience. An address is told once; who has it is reached by that one message. Where accounts
    are told, an address is told once for each of those who have it."""

    people: list
    dedup: str = "address"  # or account
    addresses: dict = field(default_factory=dict)  # key -> rows that are told by one message, in order

    def __post_init__(self):
        for person in self.people:
            for channel in CHANNELS:
                if person.address(channel):
                    self.addresses.setdefault(self.key(person, channel), []).append(person.row)
        self.by_row = {p.row: p for p in self.people}
        self.places = {key[:2] for key in self.addresses}

    def key(self, person, channel):
        """What one message is for: (channel, address), or (channel, address, recipient id)."""
        return (channel, person.address(channel), person.recipient_id) if self.dedup == "account" else \
            (channel, person.address(channel))

    def on(self, channel):
        return {key for key in self.addresses if key[0] == channel}

    @property
    def rows(self):
        return len(self.people)

    @property
    def rejected(self):
        return sum(p.refused for p in self.people)

    @property
    def repeated(self):
        return sum(p.double for p in self.people)

    @property
    def counted(self):
        """Those who count as a person: every row that was read and is the first of its id."""
        return [p for p in self.people if not p.refused and not p.double]

    @property
    def unreachable(self):
        return sum(not any(p.address(c) for c in CHANNELS) for p in self.counted)

    def covered(self, channel):
        """Rows that count and whose address an earlier row has."""
        return sum(not self.by_row[row].double for (at, *_), rows in self.addresses.items() if at == channel
                   for row in rows[1:])

    def ids(self):
        return {p.recipient_id for p in self.people if not p.refused}


def make(count, seed, channels=CHANNELS, series=0, dedup="address"):
    """`series`: up to 100 audiences of 100,000 that have no address in common."""
    dice = random.Random(f"people {seed} {series}")
    people = []
    for row in range(1, count + 1):
        locale = "en" if dice.random() < 0.4 else "ko"
        one = Person(row, f"R{series:02}{row:06}", locale, f"{NAME_MARK[locale]}{row if locale == 'ko' else ' ' + str(row)}")
        kinds = () if dice.random() < 0.01 else channels  # some gave nothing that one could write to
        if "email" in kinds and dice.random() < 0.96:
            owner = near(dice, row) if dice.random() < 0.03 else row
            one.email = f"{MAIL_MARK}{series}-{owner}@mail-{owner % 3}.example.com"
        if "sms" in kinds and dice.random() < 0.95:
            owner = near(dice, row) if dice.random() < 0.06 else row
            one.sms = f"{NUMBER_MARK}{series * 100_000 + owner:07}"
        if "push" in kinds and dice.random() < 0.55:
            owner = near(dice, row) if dice.random() < 0.02 else row
            one.push = token(f"{seed} {series}", owner)
        if dice.random() < 0.38:
            one.segments = "entrance_code"
        flaw = dice.random()
        if flaw < 0.0005:
            one.refused, one.segments = True, "no_such_segment"
        elif flaw < 0.001 and row > 1 and not people[-1].refused and not people[-1].double:
            one.double, one.recipient_id = True, people[-1].recipient_id
        people.append(one)
    return Truth(people, dedup)


def sharing(truth, other, share, seed):
    """The same audience, of whom so many have an address of somebody in another campaign's, on one channel."""
    dice = random.Random(f"sharing {seed}")
    for person in truth.people:
        channel = dice.choice(CHANNELS)
        if dice.random() < share and person.address(channel):
            setattr(person, channel, dice.choice(other.people).address(channel) or person.address(channel))
    return Truth(truth.people, truth.dedup)


def near(dice, row):
    """Families and colleagues sign up about the same time."""
    return max(1, row - dice.randrange(1, 500))


def token(seed, owner):
    body = random.Random(f"token {seed} {owner}").getrandbits(208)
    text = f"{TOKEN_MARK}{body:052x}"
    return f"apns:{text}" if owner % 3 else f"fcm:{text}:APA91b{text[::-1]}"


def to_csv(truth):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["recipient_id", "email", "phone", "push", "locale", "name", "segments"])
    for p in truth.people:
        writer.writerow([p.recipient_id, p.email, p.sms, p.push, p.locale, p.name, p.segments])
    return out.getvalue()
