"""Semel's own line: a campaign of SMS only, as tests/chaos runs its campaigns, and judged as they are."""
import shutil

from semel_chaos import checker, evidence, faults
from semel_chaos.campaign import Campaign
from semel_chaos.stack import ROOT, run
from semel_chaos.striker import Striker

EXAMPLE = ROOT / "notices/follow-up"


def version(binaries):
    commit = run(["git", "-C", ROOT, "describe", "--always", "--dirty=, changed since"], check=False).stdout.strip()
    said = run([binaries / "semel", "--version"]).stdout.split()[-1]
    return f"{said} ({commit})" if commit else said


class Semel:
    def __init__(self, stack, truth, text, in_doubt_after):
        """`text`: of the SMS, with a slot for the name. `in_doubt_after`: how long evidence is waited for."""
        self.stack, self.truth = stack, truth
        self.notice = stack.dir / "notice"
        shutil.copytree(EXAMPLE, self.notice)
        (self.notice / "sms.en.txt").write_text(text + "\n", encoding="utf-8")
        self.campaign = Campaign(stack, truth, policy="hold", after=in_doubt_after, notice=self.notice)
        self.found = None

    def start(self):
        self.campaign.create()
        for step in (self.campaign.add, self.campaign.seal, self.campaign.approve):
            step()

    def go(self):
        self.campaign.launch()

    def kill(self):
        """kill -9 of the process that has the claims and the link; its supervisor starts it again."""
        striker = Striker(self.stack, self.campaign)
        striker.strike(faults.Kill("sms"))
        self.faults = striker.done
        return self.faults[0].time_us

    def await_quiet(self):
        evidence.settle(self.stack, self.campaign.id, 600)
        self.found = evidence.gather(self.stack, self.campaign.id, self.truth, "hold", self.faults)

    def in_doubt(self):
        """The addresses that `semel in-doubt list` names."""
        address = {p.recipient_id: p.sms for p in self.truth.people}
        return {address[one["recipient_id"]] for one in self.found.in_doubt}

    def breaches(self):
        return [str(b) for b in checker.judge(self.found).breaches]
