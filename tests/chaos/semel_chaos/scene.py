"""The campaigns of one story, told at once by an operator while faults are done to them."""
import math
import time

from . import evidence, people
from .campaign import Campaign
from .faults import CHANNEL_OF
from .people import CHANNELS
from .stack import Failed, wait_for
from .stories import RECEIPTS
from .striker import Striker, tell

# From its creation until a campaign is launched, when nothing disturbs it; and for how many people it takes a second more.
BEFORE_LAUNCH_S = 12
PEOPLE_A_SECOND = 1_000


class Scene:
    """`number`: how many stories came before; `series`: of its first audience. `during(stage, striker, step)` does a step of
    a campaign, with what is to happen meanwhile."""

    def __init__(self, stack, story, people_each, seed, policy, series, before):
        self.stack, self.story = stack, story
        self.reports = {**RECEIPTS, **story.receipts}
        self.campaigns = []
        first = None
        for n, part in enumerate(story.parts):
            count = max(200, round(people_each * part.share))
            truth = people.make(count, seed, series=(series + n) % people.SERIES, dedup=part.dedup)
            if part.shares:
                truth = people.sharing(truth, first, part.shares, f"{seed} {series + n}")
            first = first or truth
            self.campaigns.append(Campaign(stack, truth, part.policy or policy))
        self.total = sum(self.planned(channel) for channel in CHANNELS)
        self.before = before
        self.began_us = time.time_ns() // 1000
        self.striker = Striker(stack, self, before)
        self.cancelled = False

    # What a striker asks

    def planned(self, channel):
        return sum(c.planned(channel) for c in self.campaigns)

    def accepted(self):
        return self.campaigns[0].accepted()

    def over(self):
        """Whether some campaign has ended before all were told: then less is to come than was planned."""
        return self.cancelled or any(c.over() for c in self.campaigns)

    # What a run asks

    def sent(self):
        return sum(self.accepted().values()) - sum(self.before.values())

    def until(self, share, seconds=300):
        wait_for(f"{share:.0%} are accepted", lambda: self.over() or self.sent() >= share * self.total, seconds, every=0.05)

    def going_on(self):
        """Near the end little is under way that a fault could hit: the next story takes what is left."""
        if not self.over():
            return self.sent() < 0.85 * self.total
        left = planned = 0
        for c in self.campaigns:
            for said in self.stack.patient_json("campaign", "status", c.id)["channels"].values():
                left += said.get("outstanding", 0)
                planned += said["planned"]
        return left > 0.15 * planned

    def prepare(self, during):
        """Up to the launch of all."""
        self.stack.control.behave(smpp={"receipts": self.reports})
        self.stack.share_account(self.story.foreign > 0)
        self.stack.speak(self.story.ids, self.story.foreign)
        self.stack.throttle(self.story.allows)
        self.stack.campaigns.clear()
        for c, part in zip(self.campaigns, self.story.parts):
            # A deadline leaves no time for processes that die on the way to the launch.
            meanwhile = during if part.deadline is None else lambda stage, striker, step: step()
            meanwhile("create", self.striker, lambda: c.create(self.deadline_in(part)))
            self.stack.campaigns.append(c.id)
            meanwhile("add", self.striker, c.add)
            meanwhile("seal", self.striker, c.seal)
            if part.colleagues:
                c.test(people.Truth(c.truth.people[:part.colleagues]))
            c.approve()
        for c in self.campaigns:
            during("launch", self.striker, c.launch)

    def deadline_in(self, part):
        """Seconds from now: a share of what the slowest gateway takes for all that was planned."""
        if part.deadline is None:
            return None
        slowest = max(self.planned(CHANNEL_OF[gateway]) / rate for gateway, rate in self.stack.rates.items()
                      if CHANNEL_OF[gateway] != "push")
        people_told = sum(c.truth.rows for c in self.campaigns)
        return math.ceil(BEFORE_LAUNCH_S * len(self.campaigns) + people_told / PEOPLE_A_SECOND + part.deadline * slowest)

    def strike(self, step):
        self.striker.both(*step) if len(step) == 3 else self.striker.strike(step[0])
        self.cancelled |= any(getattr(f, "name", "") == "cancel" for f in step[:2])

    def end(self):
        for c in self.campaigns:
            evidence.ended(self.stack, c.id, 900)
        for c, part in zip(self.campaigns, self.story.parts):
            if part.decision:
                tell(f"an approver decides about {len(self.doubts(c))} doubts: {part.decision}")
                c.decide(part.decision)
                wait_for("the decision is carried out", lambda c=c: self.carried_out(c), 120, every=0.5)
                evidence.ended(self.stack, c.id, 300)
        evidence.catch_up(self.stack, [c.id for c in self.campaigns], self.began_us)
        if self.reports["probability"] == 1:
            for c in self.campaigns:
                c.all_reported = True
                self.await_reports(c)

    def carried_out(self, campaign):
        """What was presumed sent is said to be, and what was sent again has its answer: until then its channel counts it, and
        no list has it. That the campaign has finished says neither."""
        channels = self.stack.patient_json("campaign", "status", campaign.id)["channels"].values()
        listed = self.doubts(campaign)
        return all(d["state"] == "presumed_sent" for d in listed) and \
            len(listed) == sum(said["in_doubt"] + said.get("outstanding", 0) for said in channels)

    def await_reports(self, campaign):
        def all_here():
            said = self.stack.patient_json("campaign", "report", campaign.id)["channels"]["sms"]
            return said["delivered"] >= said["accepted"]
        try:
            wait_for("every accepted SMS is delivered", all_here, 30, every=1)
        except Failed:
            pass  # for the checker to say

    def doubts(self, campaign):
        return self.stack.patient_json("in-doubt", "list", campaign.id)

    def await_evidence(self, seconds):
        """Late evidence gets so long to settle what is in doubt."""
        for c in self.campaigns:
            try:
                wait_for("nothing is in doubt", lambda: not self.doubts(c), seconds, every=1)
            except Failed:
                pass  # what stays in doubt is for the checker to judge

    def evidence(self, elsewhere, last):
        tell("at rest")
        out = evidence.gather(self.stack, self.campaigns, self.striker.done, elsewhere, self.began_us, last)
        tell("everything is gathered")
        return out
