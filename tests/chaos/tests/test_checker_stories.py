"""Several campaigns at once, deadlines, decisions, tests, ids in other forms: each rule catches its own breach."""
import unittest
from collections import Counter
from dataclasses import replace

from semel_chaos.checker import Accept, Fault, Told, judge, table
from test_checker import add_event, clean, put_in_doubt, reword


class Stories(unittest.TestCase):
    def breaches(self, evidence):
        return Counter(b.invariant for b in judge(evidence).breaches)

    def expired(self, policy="hold"):
        """Somebody's message came too late, and was turned away."""
        e = clean(policy)
        event = e.events[-1]
        reword(e, -1, kind="failed", code="semel:expired", message_id="")
        e.accepts = [a for a in e.accepts if a.message_id != event.message_id]
        said = e.report["channels"][event.channel]
        said["accepted"], said["failed"] = said["accepted"] - 1, said["failed"] + 1
        row = next(l.row for l in e.links if l.notification == event.notification)
        e.unreached.append(e.truth.by_row[row].recipient_id)
        e.deadline_us = e.accepts[-1].time_us
        e.told = [Told(event.notification, "expired", e.deadline_us // 1000 + 1, 1)]
        return e

    def test_a_deadline_that_passed_explains_who_was_turned_away(self):
        e = self.expired()
        self.assertEqual([str(b) for b in judge(e).breaches], [])
        e.deadline_us = None
        self.assertEqual(set(self.breaches(e)), {"O1"})

    def test_who_had_not_been_released_when_it_passed_was_never_dispatched(self):
        e = self.expired()
        del e.dispatched[e.events[-1].notification, 1]
        self.assertEqual(self.breaches(e), Counter())
        del e.dispatched[e.events[0].notification, 1]
        self.assertEqual(set(self.breaches(e)), {"L1"})

    def test_the_table_says_how_many_were_turned_away(self):
        e = self.expired()
        self.assertIn("turned away 1, lost 0", table(e, judge(e), 1))

    def test_I5_campaigns_that_were_told_at_once_share_a_fault_s_bound(self):
        one, other = clean(), clean()
        one.faults = other.faults = [Fault("kill", "email", 4_000_000, {"email": 1})]
        for e in (one, other):
            put_in_doubt(e)
        first, second = judge(one), judge(other)
        self.assertEqual((first.doubts, second.doubts), ([1], [1]))
        self.assertEqual([b.invariant for b in (*first.breaches, *second.breaches)], ["I5"])

    def test_O1_somebody_is_told_after_the_deadline(self):
        e = self.expired()
        late = replace(e.accepts[3], time_us=e.deadline_us + 6_000_000)
        e.accepts[3] = late
        self.assertEqual(set(self.breaches(e)), {"O1"})
        e.faults = [Fault("hang", late.gateway, e.deadline_us - 9, until_us=late.time_us - 1, held_up={late.gateway: 1})]
        self.assertEqual(self.breaches(e), Counter(), "it was on its way, and the gateway did not read")

    def test_O1_somebody_expires_before_the_deadline(self):
        e = self.expired()
        e.told = [replace(e.told[0], time_ms=e.deadline_us // 1000 - 1)]
        self.assertEqual(set(self.breaches(e)), {"O1"})

    def test_O1_a_doubt_is_sent_again_after_the_deadline(self):
        e = self.expired("resend")
        e.told.append(Told("ab" * 32, "resent", e.deadline_us // 1000 + 6_000, 2))
        self.assertEqual(set(self.breaches(e)), {"O1"})

    def test_O1_a_process_that_was_stopped_has_what_it_was_about_to_send(self):
        e = self.expired()
        late = replace(e.accepts[3], time_us=e.deadline_us + 6_000_000)
        e.accepts[3] = late
        e.faults = [Fault("pause", late.channel, 1, {late.channel: 1}, until_us=late.time_us - 1)]
        self.assertEqual(self.breaches(e), Counter())
        e.faults[0].until_us = e.deadline_us - 1_000_000
        self.assertEqual(set(self.breaches(e)), {"O1"})

    def test_another_campaign_s_pause_holds_nobody_here(self):
        e = clean()
        at = e.accepts[3].time_us
        e.campaign = "c-1"
        e.faults = [Fault("hold", "campaign", 1, quiet_us=(at - 1, at + 1), campaign="c-2")]
        self.assertEqual(self.breaches(e), Counter())
        e.campaign = "c-2"
        self.assertEqual(set(self.breaches(e)), {"O1"})

    def test_accounts_are_told_each_although_they_share_an_address(self):
        e = clean(dedup="account")
        self.assertEqual([str(b) for b in judge(e).breaches], [])
        shared = next(key for key in e.truth.addresses if sum(other[:2] == key[:2] for other in e.truth.addresses) > 1)
        mine = next(i for i, a in enumerate(e.accepts) if (a.channel, a.address, a.owner) == shared)
        e.accepts.append(e.accepts[mine])
        self.assertEqual(set(self.breaches(e)), {"I1"})
        e.accepts = [a for a in e.accepts if (a.channel, a.address, a.owner) != shared]
        self.assertIn("I3", self.breaches(e), "the other account's message does not count for this one")

    def test_I6_what_an_approver_decides_and_what_nobody_did(self):
        for kind, word in (("presumed_sent", "presume-sent"), ("resent", "resend")):
            e = clean("hold")
            e.faults = [Fault("kill", "email", 4_000_000, {"email": 1})]
            event = put_in_doubt(e, unresolved=kind == "resent")
            attempt = 2 if kind == "resent" else 1
            add_event(e, id="x", kind=kind, channel="email", notification=event.notification, attempt=attempt,
                      code="semel:approver", time_us=6_000_000)
            if kind == "resent":
                add_event(e, id="a", kind="accepted", channel="email", notification=event.notification, attempt=2,
                          gateway=event.gateway, message_id="again", time_us=6_000_001)
                e.accepts.append(replace(e.accepts[0], message_id="again", time_us=6_000_001))
                e.report["channels"]["email"]["accepted"] += 1
                e.report["channels"]["email"]["in_doubt"] -= 1
                e.in_doubt.clear()
            e.decisions = frozenset((word,))
            self.assertEqual([str(b) for b in judge(e).breaches], [], kind)
            e.decisions = frozenset()
            self.assertIn("I6", self.breaches(e), kind)
            self.assertEqual("I1" in self.breaches(e), kind == "resent")

    def test_I6_a_report_about_another_sender_s_message(self):
        e = clean()
        event = next(x for x in e.events if x.channel == "sms")
        add_event(e, id="r", kind="receipt", channel="sms", notification=event.notification, attempt=1,
                  message_id=event.message_id)
        self.assertEqual(self.breaches(e), Counter())
        add_event(e, id="s", kind="receipt", channel="sms", notification=event.notification, attempt=1, message_id="other-1")
        self.assertEqual(set(self.breaches(e)), {"I6"})

    def test_I6_a_report_in_another_form_that_was_not_understood(self):
        e = clean()
        for n, event in enumerate([x for x in e.events if x.channel == "sms"]):
            at = e.events.index(event)
            sent = next(i for i, a in enumerate(e.accepts) if a.message_id == event.message_id)
            e.accepts[sent] = replace(e.accepts[sent], message_id=f"{n + 4096:x}")
            reword(e, at, message_id=f"{n + 4096:x}")
            add_event(e, id=f"r{n}", kind="receipt", channel="sms", notification=event.notification, attempt=1,
                      message_id=f"{n + 4096:x}")
        e.all_reported = True
        self.assertEqual(self.breaches(e), Counter())
        reword(e, -1, message_id=str(int(e.events[-1].message_id, 16)))  # as the report spelled it
        self.assertEqual(self.breaches(e), Counter())
        del e.topic_events[e.events.pop().id]
        self.assertEqual([b.text.split(" (")[0][2:] for b in judge(e).breaches], [
            "notifications were reported as delivered by the message centre, part for part, and are not known as such"])

    def test_I3_an_id_that_only_a_report_named_may_be_spelled_as_it_does(self):
        e = clean()
        at, event = next((i, x) for i, x in enumerate(e.events) if x.channel == "sms")
        sent = next(i for i, a in enumerate(e.accepts) if a.message_id == event.message_id)
        e.accepts[sent] = replace(e.accepts[sent], message_id="1f40")
        for said, broken in (("1f40", False), ("8000", False), ("00008000", False), ("1F40", False), ("8001", True)):
            reword(e, at, message_id=said)
            self.assertEqual(bool(self.breaches(e)["I3"]), broken, said)

    def test_I10_all_campaigns_share_a_gateway_s_limit(self):
        e = clean()
        at = next(a for a in e.accepts if a.gateway == "relay-a")
        e.traffic = e.accepts + [replace(at, message_id=f"of another {n}") for n in range(220)]
        self.assertEqual(set(self.breaches(e)), {"I10"})

    def with_tests(self):
        e = clean()
        e.testers = {("email", "colleague@example.com"), ("sms", "+821000000000")}
        e.tested = frozenset(("ee" * 32, "ff" * 32))
        e.tests = [Accept("email", "relay-a", "colleague@example.com", "t1", 1, id="ee" * 32, marked=True),
                   Accept("sms", "smsc-a", "+821000000000", "t2", 1, id="ffff", marked=True)]
        return e

    def test_T1_tests_that_are_as_they_must_be(self):
        self.assertEqual([str(b) for b in judge(self.with_tests()).breaches], [])

    def test_T1_a_test_that_does_not_say_so(self):
        e = self.with_tests()
        e.tests[0] = replace(e.tests[0], marked=False)
        self.assertEqual(set(self.breaches(e)), {"T1"})

    def test_T1_a_test_twice(self):
        e = self.with_tests()
        e.tests.append(replace(e.tests[0], message_id="t3"))
        self.assertEqual(set(self.breaches(e)), {"T1"})

    def test_T1_a_test_that_did_not_come(self):
        e = self.with_tests()
        del e.tests[1]
        self.assertEqual(set(self.breaches(e)), {"T1"})
        add_event(e, id="d", kind="in_doubt", channel="sms", notification="ff" * 32, attempt=1, time_us=1)
        self.assertEqual(self.breaches(e), Counter())

    def test_T1_a_test_that_stands_in_for_a_person_of_the_audience(self):
        e = self.with_tests()
        e.tested = frozenset(("ee" * 32, e.events[0].notification))
        self.assertIn("T1", self.breaches(e))


if __name__ == "__main__":
    unittest.main()
