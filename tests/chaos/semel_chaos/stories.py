"""What is told in a run: which campaigns at once, how they differ, and how the gateways answer meanwhile. Pure.

A profile tells its stories in turn, whatever faults come meanwhile; `run --story NAME` tells one.
"""
from dataclasses import dataclass, field

#: How the message centre reports where a story does not say otherwise.
RECEIPTS = {"probability": 0.9, "delay_ms": 300, "jitter_ms": 300, "duplicates": 0.1, "before_response": 0.05,
            "states": {"DELIVRD": 1}, "form": "both"}


@dataclass(frozen=True)
class Part:
    """One campaign of a story."""

    share: float = 1.0  # of the people that the profile has for a campaign
    policy: str | None = None  # None: the run's, in turn
    dedup: str = "address"
    shares: float = 0.0  # so many of its people have an address of somebody in the story's first campaign
    deadline: float | None = None  # after so much of the time that sending all takes
    colleagues: int = 0  # who get a test before its launch
    decision: str | None = None  # what an approver says about what is in doubt at its end: resend or presume-sent


@dataclass(frozen=True)
class Story:
    parts: tuple = (Part(),)
    receipts: dict = field(default_factory=dict)  # what is not as in RECEIPTS
    ids: str = "same"  # how the message centre's answers spell the ids of its reports (smpp.py)
    foreign: float = 0.0  # for so many messages it reports on another sender's to the same number: a shared account
    allows: float = 1.0  # so much of what semel.yaml says the gateways take a second, and refuse the rest as too fast
    faults: tuple = ()  # in it in any case, as specs: the first at its beginning, the others at even distances


STORIES = {
    "plain": Story(),
    # Three at once, over the same gateways and partly to the same addresses.
    "several": Story((Part(0.4, colleagues=6), Part(0.3, dedup="account", shares=0.3), Part(0.3, "presume-sent", shares=0.3)),
                     faults=("silence relay-a 3 s", "kill sms")),
    # A deadline passes in the middle of one campaign, while a clock is wrong; the other, to some of the same people, goes on.
    "deadline": Story((Part(0.6), Part(0.4, shares=0.2, deadline=0.4)), faults=("clock sms +3600 s for 8 s",)),
    # An approver decides what no evidence settles: about one campaign so, about the other so.
    "decisions": Story((Part(0.5, "hold", decision="resend"), Part(0.5, "hold", decision="presume-sent")),
                       faults=("silence relay-a 4 s", "accept and reset apns 3 s", "kill sms")),
    # The message centre reports on everything under an id that it spells otherwise than it answered, and on other senders'
    # messages to the same numbers.
    "decimal": Story(receipts={"probability": 1}, ids="decimal", foreign=0.3, faults=("kill sms", "kill receipts")),
    "padded": Story(receipts={"probability": 1}, ids="padded", foreign=0.3, faults=("kill receipts",)),
    # Every gateway takes less than semel.yaml says. Nobody tells the dispatchers how much, and those that take over find out
    # anew.
    "throttled": Story((Part(0.4),), allows=0.4, faults=("kill email", "kill push + pause sms 4 s", "kill sms")),
    # One campaign is cancelled in the middle; the other is not.
    "cancel": Story((Part(0.6), Part(0.4, shares=0.2)), faults=("hold campaign 8 s", "cancel campaign")),
}

# Two waves of one campaign that cross (crossing.py): of the profile's people, so many.
CROSSING_SHARE = 0.3
NAMES = (*sorted(STORIES), "waves")
