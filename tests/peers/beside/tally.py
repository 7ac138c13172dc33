"""What became of the messages, by the file of the message centre alone. Pure; tests/ shows that each number can be wrong."""
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """One line of the centre's file."""

    address: str
    time_us: int
    connection: int  # 1, 2, … in the order of arrival


@dataclass(frozen=True)
class Tally:
    sent: int  # handed over, and acknowledged by the sender under test
    accepted: int  # of these the centre has at least one
    lost: int  # neither at the centre nor named as in doubt
    twice: int  # of these the centre has more than one
    in_doubt: int  # named as in doubt
    in_doubt_accepted: int  # of these the centre has one: nothing was wrong
    at_kill: int  # accepted when the sender was killed
    rate: float  # accepted a second until then
    back_s: float | None  # from the kill to the first acceptance on a new connection; None: there was none
    strangers: int  # accepted and never sent


def tally(sent, accepted, kill_us, in_doubt=frozenset()):
    """`sent` and `in_doubt`: addresses, of which each has one message."""
    at = Counter(a.address for a in accepted)
    there = sent & at.keys()
    before = [a for a in accepted if a.time_us <= kill_us]
    # What was in the socket when its sender died is accepted after the kill, on the old connection.
    old = {a.connection for a in before}
    later = [a.time_us for a in accepted if a.connection not in old]
    spent_us = kill_us - min((a.time_us for a in before), default=kill_us)
    return Tally(
        sent=len(sent), accepted=len(there), lost=len(sent - there - in_doubt), twice=sum(at[a] > 1 for a in there),
        in_doubt=len(in_doubt), in_doubt_accepted=len(in_doubt & there), at_kill=len(before),
        rate=len(before) * 1e6 / spent_us if spent_us else 0.0,
        back_s=(min(later) - kill_us) / 1e6 if later else None, strangers=len(at.keys() - sent))


def broken_promises(t, window):
    """What Semel promises of a kill and did not keep, in sentences."""
    return [text for number, most, text in (
        (t.lost, 0, f"{t.lost} messages lost"),
        (t.twice, 0, f"{t.twice} messages sent twice"),
        (t.in_doubt, window, f"{t.in_doubt} messages in doubt, more than the window of {window}")) if number > most]
