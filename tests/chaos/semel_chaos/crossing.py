"""Two uploads of one campaign that share addresses and cross: the large one begins first and ends last. The small one is
sealed, approved, launched and told meanwhile; between the two Redis forgets everything and plan is killed. Every address
is told once, and a supplement where the later wave brings a segment.
"""
import json
import subprocess

from . import evidence, faults, people, waves
from .campaign import Campaign
from .stack import Failed, wait_for
from .striker import Striker, tell


class Upload:
    """An audience that comes through a pipe, and stops in the middle until it is told to go on."""

    def __init__(self, stack, campaign, truth):
        words = [stack.binaries / "semel", "audience", "add", campaign, "-", "--json", "--dir", stack.dir]
        self.process = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=stack.environment, cwd=stack.dir)
        data = people.to_csv(truth).encode()
        self.rest = data[len(data) // 2:]
        self.process.stdin.write(data[:len(data) // 2])
        self.process.stdin.flush()

    def finish(self):
        out, err = self.process.communicate(self.rest, timeout=180)
        if self.process.returncode != 0:
            raise Failed(f"the upload ended with {self.process.returncode}: {err[-500:].decode(errors='replace')}")
        return json.loads(out)["wave"]


def through(stack, campaign):
    """Seals, approves and launches what has come; each until it is done once."""
    for what, options in (("seal", ()), ("approve", ("--as", "approver")), ("launch", ())):
        last = [None]

        def done():
            try:
                stack.semel("campaign", what, campaign.id, *options)
                return True
            except (Failed, subprocess.TimeoutExpired) as error:
                last[0] = error
                return False
        try:
            wait_for(f"campaign {what}", done, 120, every=0.5)
        except Failed as error:
            raise Failed(f"{error}: {last[0]}") from None


def story(stack, count, seed, series=0, disturbed=True):
    """(what must come, what came, the striker that disturbed it)"""
    large, small = waves.split(count, seed, series=series)
    campaign = Campaign(stack, large).create()
    striker = Striker(stack, campaign)
    before = sum(campaign.accepted().values())
    upload = Upload(stack, campaign.id, large)
    tell("the large upload has begun")
    file = stack.dir / "small.csv"
    file.write_text(people.to_csv(small), encoding="utf-8", newline="")
    first = stack.patient_json("audience", "add", campaign.id, file, seconds=120)["wave"]
    through(stack, campaign)
    wait_for("the small wave is told", lambda: sum(campaign.accepted().values()) - before >= 0.9 * len(small.addresses), 180)
    tell(f"the small wave, number {first}, is told; the large upload goes on")
    if disturbed:
        striker.strike(faults.FlushRedis(), sending=False)
    second = upload.finish()
    through(stack, campaign)
    if disturbed:
        striker.strike(faults.Kill("plan"), sending=False)
        striker.strike(faults.FlushRedis(), sending=False)
    tell(f"the large wave, number {second}, is launched")
    evidence.settle(stack, campaign.id, 300)
    by_number = sorted(((first, small), (second, large)), key=lambda pair: pair[0])
    ours = large.places | small.places
    return (waves.expected([truth for _, truth in by_number]),
            waves.messages(a for a in evidence.accepted(stack) if series == 0 or (a.channel, a.address) in ours), striker)
