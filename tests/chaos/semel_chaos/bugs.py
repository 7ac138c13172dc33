"""Seeded bugs: patches against Semel's own code, each with the invariant that must catch it.

A patch begins with plain lines: what is wrong with the code that it makes, then

    Expect: I1 or L1        the invariants of which one must be broken
    Faults: SPEC            for `run --fault`; once for each, in order
    Story: NAME             whose campaigns are told, with faults of its own (stories.py); plain where it is not said
    People: N               of the campaign; 3000 where it is not said
    Policy: hold            or resend; hold where it is not said
    Linger: SECONDS         after the campaign, for evidence that comes late; 0 where it is not said
    Alone: yes              no build and no other campaign beside it; no where it is not said

and the diff follows.
"""
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import stories

FOLDER = Path(__file__).resolve().parents[1] / "bugs"
INVARIANTS = frozenset(f"I{n}" for n in range(1, 13)) | {"L1", "G1", "E1", "O1", "T1", "S1"}
BREACH = re.compile(r"^BREACH (\w+): (.*)$", re.MULTILINE)
CHANGED = re.compile(r"^\+\+\+ b/(\S+)$", re.MULTILINE)


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
    alone: bool = False
    story: str = "plain"
    changes: tuple = ()  # files of the sources
    file: Path | None = field(default=None, compare=False)  # None: nothing is wrong with the code


def read(name, text, file=None):
    head, cut, _ = text.partition("\n--- ")
    if not cut:
        raise Malformed(f"{name}: no diff follows its header (a line that begins with ---)")
    told, what = {"Faults": []}, []
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in ("Expect", "People", "Policy", "Linger", "Alone", "Story"):
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
            raise Malformed(f"{name}: {key}: is not a number")
    if told.get("Policy", "hold") not in ("hold", "resend"):
        raise Malformed(f"{name}: Policy: is neither hold nor resend")
    if told.get("Alone", "no") not in ("yes", "no"):
        raise Malformed(f"{name}: Alone: is neither yes nor no")
    if told.get("Story", Bug.story) not in stories.STORIES:
        raise Malformed(f"{name}: Story: names {told['Story']}; the stories are {', '.join(sorted(stories.STORIES))}")
    return Bug(name, " ".join(what), expect, tuple(told["Faults"]), int(told.get("People", Bug.people)),
               told.get("Policy", Bug.policy), int(told.get("Linger", Bug.linger)), told.get("Alone") == "yes",
               told.get("Story", Bug.story), tuple(sorted(CHANGED.findall(text))), file)


def all_bugs(folder=FOLDER):
    return [read(file.stem, file.read_text(encoding="utf-8"), file) for file in sorted(folder.glob("*.patch"))]


def in_order(some):
    """Those that change the same file follow each other, so that each build has little to do. What takes longest is not
    left for the end, and what runs alone is: then nothing is to be built any more."""
    lingers = {}
    for bug in some:
        lingers[bug.changes[:1]] = max(bug.linger, lingers.get(bug.changes[:1], 0))
    return sorted(some, key=lambda b: (b.alone, -lingers[b.changes[:1]], b.changes, -b.linger, b.name))


CANCEL = "cancel campaign"
PEOPLE_A_FAULT = 800  # so that there is somebody left to be told when the last fault comes


def controls(some, by_bug=False):
    """The same faults without the bugs, in which nothing may be found: as few campaigns as can be, since one has one story and
    policy, and is cancelled at its end or not; or each bug's by themselves."""
    if by_bug:
        return [replace(bug, name=f"without {bug.name}", expect=(), changes=(), file=None) for bug in some]
    groups = {}
    for bug in some:
        groups.setdefault((bug.policy, CANCEL in bug.faults, bug.story), []).append(bug)
    out = []
    for (policy, cancelled, story), these in groups.items():
        faults = list(dict.fromkeys(f for b in these for f in b.faults if f != CANCEL)) + [CANCEL] * cancelled
        name = ", ".join(["no bug", policy] + ["cancelled"] * cancelled + [story] * (story != Bug.story))
        out.append(Bug(name, "nothing", (), tuple(faults), max(PEOPLE_A_FAULT * len(faults), *(b.people for b in these)), policy,
                       max(b.linger for b in these), story=story))
    return sorted(out, key=lambda c: -len(c.faults))


def breaches(output):
    """What a run printed as broken: [(invariant, sentence), ...]."""
    return BREACH.findall(output)
