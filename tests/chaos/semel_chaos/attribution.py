"""Whose message it is that a gateway accepted, when several campaigns are under way that share addresses. Pure.

An address that only one audience has names its campaign. Where several have it, the message itself does: it carries its
notification, or of an SMS the first sixteen bits of it. What those leave open, the ids that the gateway gave decide.
"""
from collections import defaultdict
from dataclasses import dataclass, field, replace


@dataclass
class Claimant:
    """A campaign, and the notifications that could have been accepted for it."""

    truth: object
    links: list = field(default_factory=list)
    message_ids: dict = field(default_factory=dict)  # (gateway, id that it gave) -> notification
    tested: frozenset = frozenset()  # notifications of its tests
    testers: set = field(default_factory=set)  # (channel, address) of colleagues

    def __post_init__(self):
        self.named = defaultdict(list)  # (channel, address) -> [(notification, its row's recipient id)]
        for link in self.links:
            if link.role == "own" and (person := self.truth.by_row.get(link.row)):
                self.named[link.channel, person.address(link.channel)].append((link.notification, person.recipient_id))


    def tests(self, accept):
        return (accept.channel, accept.address) in self.testers and \
            any(accept.id and n.startswith(accept.id) for n in self.tested)


def share(accepts, claimants):
    """(for each claimant what is its own, for each claimant its tests). A message to somebody of whom nobody knows is the
    first one's; one that no notification explains goes to everybody who has the address: one too many."""
    mine, tests = [[] for _ in claimants], [[] for _ in claimants]
    for a in accepts:
        tester = next((n for n, c in enumerate(claimants) if c.testers and c.tests(a)), None)
        if tester is not None:
            tests[tester].append(a)
            continue
        having = [n for n, c in enumerate(claimants) if (a.channel, a.address) in c.truth.places] or [0]
        if len(having) == 1 and claimants[having[0]].truth.dedup == "address":
            mine[having[0]].append(a)
            continue
        found = whose(a, claimants, having)
        for n, owner in [found] if found else [(n, "") for n in having]:
            mine[n].append(replace(a, owner=owner) if claimants[n].truth.dedup == "account" else a)
    return mine, tests


def whose(a, claimants, having):
    """(claimant, recipient id), or None."""
    fitting = [(n, notification, owner) for n in having for notification, owner in claimants[n].named[a.channel, a.address]
               if a.id and notification.startswith(a.id)]
    if len(fitting) > 1:
        fitting = [(n, notification, owner) for n, notification, owner in fitting
                   if claimants[n].message_ids.get((a.gateway, a.message_id)) == notification] or fitting
    return (fitting[0][0], fitting[0][2]) if fitting else None
