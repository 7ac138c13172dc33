"""What an operator does to a campaign in the middle of its sending."""
import time

from ..stack import Failed
from .fault import Fault


NONE = "none"


def tell(stack, what, becomes):
    """The id of the latest campaign that was still running, and now is what it was told to be; NONE where all have ended."""
    for campaign in reversed(stack.campaigns):
        if stack.phase(campaign) == "running":
            try:
                stack.patient_json("campaign", what, campaign)
            except Failed:
                if stack.phase(campaign) == "running":
                    raise  # else its answer was lost, or it has ended meanwhile
            if stack.phase(campaign) == becomes:
                return campaign
    return NONE


class HoldCampaign(Fault):
    """Paused by an operator, and resumed: for so long nobody is told, and afterwards everybody is."""

    name = "hold"
    BEGINS_S = 5.0  # until every process has heard it, and what was out is answered

    def __init__(self, seconds):
        super().__init__("campaign", seconds)
        self.quiet_us, self.campaign = None, NONE

    def strike(self, stack):
        self.campaign = tell(stack, "pause", "paused")
        if self.campaign == NONE:
            return
        begins = time.time() + self.BEGINS_S
        self.last()
        if (ends := time.time()) > begins:
            self.quiet_us = (int(begins * 1e6), int(ends * 1e6))

    def mend(self, stack):
        if self.campaign != NONE:
            try:
                stack.patient_json("campaign", "resume", self.campaign)
            except Failed:
                if stack.phase(self.campaign) == "paused":
                    raise  # else the answer was lost


class CancelCampaign(Fault):
    """For good: nobody is told after it, and whoever was not told is failed with that word. The last fault of a run."""

    name = "cancel"

    def __init__(self):
        super().__init__("campaign")
        self.quiet_us, self.campaign = None, NONE

    def channels(self):
        return ()

    def strike(self, stack):
        self.campaign = tell(stack, "cancel", "cancelled")
        if self.campaign != NONE:
            self.quiet_us = (int((time.time() + HoldCampaign.BEGINS_S) * 1e6), 1 << 62)
