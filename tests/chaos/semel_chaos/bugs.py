"""Seeded bugs: patches against Semel's own code, each with the invariant that must catch it.

A patch begins with plain lines: what is wrong with the code that it makes, then

    Expect: I1 or L1        the invariants of which one must be broken
    Faults: SPEC            for `run --fault`; once for each, in order
    People: N               of the campaign; 3000 where it is not said
    Policy: hold            or resend; hold where it is not said
    Linger: SECONDS         after the campaign, for evidence that comes late; 0 where it is not said

and the diff follows.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "bugs"
INVARIANTS = frozenset(f"I{n}" for n in range(1, 13)) | {"L1", "G1", "E1", "O1"}
BREACH = re.compile(r"^BREACH (\w+): (.*)$", re.MULTILINE)


class Malformed(Exception):
    """A patch whose header does not say what it must; the sentence says where."""


@dataclass(frozen=True)
class Bug:
    name: str
    what: str
    expect: tuple
    faults: tuple = ()
    people: int = 3_000
    policy: str = "hold"
    linger: int = 0
    file: Path = field(default=Path(), compare=False)


def read(name, text, file=Path()):
    head, cut, _ = text.partition("\n--- ")
    if not cut:
        raise Malformed(f"{name}: no diff follows its header (a line that begins with ---)")
    told, what = {"Faults": []}, []
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in ("Expect", "People", "Policy", "Linger"):
            told[key] = value.strip()
        elif colon and key == "Faults":
            told["Faults"].append(value.strip())
        elif line.strip():
            what.append(line.strip())
    expect = tuple(told.get("Expect", "").split(" or "))
    if not set(expect) <= INVARIANTS:
        raise Malformed(f"{name}: Expect: names {' or '.join(expect) or 'nothing'}; the invariants are "
                        f"{', '.join(sorted(INVARIANTS))}")
    if not what:
        raise Malformed(f"{name}: its header does not say what is wrong")
    for key in ("People", "Linger"):
        if not told.get(key, "1").isdigit():
            raise Malformed(f"{name}: {key}: is no number")
    if told.get("Policy", "hold") not in ("hold", "resend"):
        raise Malformed(f"{name}: Policy: is neither hold nor resend")
    return Bug(name, " ".join(what), expect, tuple(told["Faults"]), int(told.get("People", Bug.people)),
               told.get("Policy", Bug.policy), int(told.get("Linger", Bug.linger)), file)


def all_bugs(folder=FOLDER):
    return [read(file.stem, file.read_text(encoding="utf-8"), file) for file in sorted(folder.glob("*.patch"))]


def breaches(output):
    """What a run printed as broken: [(invariant, sentence), ...]."""
    return BREACH.findall(output)
