"""How fast people are taken in: import and both passes of plan."""
import time

from figures_stack import approved, stopped, until

# What plan may release while nothing is sent: its window (pace in services/plan/core/pacing.hpp) is 20,000 messages.
PLANNED = 18_000


def released(stack):
    return stack.metric("plan", "semel_plan_released_recipients_total")


def measure_plan(stack, options, folder):
    """Recipients a second of each, nothing else at work."""
    campaign_of = lambda people: approved(stack, options, folder, people, "email", stack.sample_memory)
    _, many, imported, registered = campaign_of(2 * options.people)
    campaign, rows, _, _ = campaign_of(PLANNED)
    before = released(stack)
    with stopped(stack, "email", "receipts", "ledger"):
        began = time.monotonic()
        stack.semel("campaign", "launch", campaign)
        until("release", lambda: released(stack) - before >= rows, 120)
        took = time.monotonic() - began
    until("the campaign finished", lambda: stack.json("campaign", "status", campaign)["state"] == "finished", 900)
    return {"import": many / imported, "register": many / registered, "release": rows / took}
