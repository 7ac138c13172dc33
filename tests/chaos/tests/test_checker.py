"""Every invariant catches its own breach, and a clean run none."""
import copy
import unittest
from collections import Counter
from dataclasses import replace

from semel_chaos import people
from semel_chaos.checker import Accept, Event, Evidence, Fault, Link, Told, judge, table

GATEWAY = {"email": "relay-a", "push": "apns", "sms": "smsc-a"}


def clean(policy="hold", dedup="address"):
    """Three hundred people, all told, nothing broken."""
    truth = people.make(300, seed=7, dedup=dedup)
    report = {"rows": truth.rows, "channels": {}, "coverage": {
        "reached": len(truth.counted) - truth.unreachable, "failed": 0, "unreachable": truth.unreachable,
        "in_doubt": 0, "outstanding": 0, "repeated": truth.repeated, "rejected": truth.rejected}}
    accepts, events, links = [], [], []
    for n, ((channel, address, *account), rows) in enumerate(truth.addresses.items()):
        notification = f"{n:064x}"
        time = 1_000_000 + n * 10_000
        accepts.append(Accept(channel, GATEWAY[channel], address, f"m{n}", time, owner="".join(account)))
        events.append(Event(f"e{n}", "accepted", channel, notification, 1, GATEWAY[channel], "250", f"m{n}", time))
        links += [Link(row, channel, notification, "own" if row == rows[0] else "covered") for row in rows]
    for channel in people.CHANNELS:
        planned = len(truth.on(channel))
        sharing = truth.covered(channel)
        report["channels"][channel] = {"planned": planned, "covered": sharing, "accepted": planned, "delivered": 0,
                                       "failed": 0, "in_doubt": 0}
    return Evidence(
        truth=truth, policy=policy, accepts=accepts, events=events, links=links, report=report,
        status={"channels": {c: {"outstanding": 0} for c in people.CHANNELS}}, in_doubt=[],
        unreached=[p.recipient_id for p in truth.counted if not any(p.address(c) for c in people.CHANNELS)],
        topic_events=Counter(e.id for e in events),
        dispatched=Counter({(e.notification, 1): 1 for e in events}),
        register_entries=len(truth.ids()) + len(truth.addresses),
        limits={"relay-a": (200, 20)})


def add_event(e, **fields):
    event = Event(**fields)
    e.events.append(event)
    e.topic_events[event.id] += 1
    return event


def reword(e, index, **fields):
    """The event at `index` says something else, in the topic too."""
    e.events[index] = Event(**{**e.events[index].__dict__, **fields})


def put_in_doubt(e, index=0, time_us=5_000_000, accepted_there=True, unresolved=True):
    """The notification of event `index` was never answered: listed, in the report, in the topic; its time is up."""
    event = e.events[index]
    reword(e, index, kind="in_doubt", message_id="", code="semel:owner-lost", time_us=time_us)
    if not accepted_there:
        e.accepts = [a for a in e.accepts if a.message_id != event.message_id]
    channel = e.report["channels"][event.channel]
    channel["accepted"] -= 1
    channel["in_doubt"] += 1
    e.in_doubt.append({"notification": event.notification, "recipient_id": person_of(e, event).recipient_id,
                       "channel": event.channel, "gateway": event.gateway, "since": "", "evidence": []})
    if unresolved:
        add_event(e, id=f"u{index}", kind="unresolved", channel=event.channel, notification=event.notification, attempt=1,
                  time_us=time_us + 1)
    return event


def person_of(e, event):
    row = next(l.row for l in e.links if l.notification == event.notification and l.role == "own")
    return e.truth.by_row[row]


def resend_in_vain(e, index=0, code="semel:expired", accepted_there=True):
    """The notification of event `index` was in doubt, and its resend was turned away or refused."""
    event = put_in_doubt(e, index, accepted_there=accepted_there, unresolved=False)
    e.deadline_us = 5_000_001
    for id, kind, said in (("r", "resent", ""), ("f", "failed", code), ("v", "unresolved", code)):
        add_event(e, id=f"{id}{index}", kind=kind, channel=event.channel, notification=event.notification, attempt=2,
                  code=said, time_us=5_000_002)
    e.faults = [Fault("kill", event.channel, 4_000_000, {event.channel: 1})]
    return event


class Checker(unittest.TestCase):
    def breaches(self, evidence):
        return Counter(b.invariant for b in judge(evidence).breaches)

    def catches(self, evidence, *invariants):
        found = self.breaches(evidence)
        for invariant in invariants:
            self.assertIn(invariant, found, f"{invariant} was not caught: {found}")

    def test_finds_nothing_in_a_clean_run(self):
        verdict = judge(clean())
        self.assertEqual([str(b) for b in verdict.breaches], [])
        self.assertEqual(verdict.accepted, len(clean().truth.addresses))
        self.assertEqual((verdict.lost, verdict.duplicate, verdict.wrong, verdict.in_doubt), (0, 0, 0, 0))

    def test_allows_doubt_that_a_kill_explains(self):
        for accepted_there in (True, False):
            e = clean()
            e.faults = [Fault("kill", "email", 4_000_000, {"email": 1})]
            put_in_doubt(e, accepted_there=accepted_there)
            self.assertEqual([str(b) for b in judge(e).breaches], [])

    def test_E1_sent_again_by_policy_although_the_answer_was_in_kafka(self):
        notification = "ab" * 32
        resent = Told(notification, "resent", 60_000, 2)
        for answer in (Told(notification, "accepted", 20_000, 1), Told(notification[:32], "accepted", 20_000)):
            e = clean("resend")
            e.told = [resent, answer]
            self.catches(e, "E1")

    def test_E1_an_answer_that_came_after_the_decision_excuses_it(self):
        e = clean("resend")
        notification, other = "ab" * 32, "cd" * 32
        e.told = [Told(notification, "resent", 60_000, 2), Told(notification, "accepted", 58_000, 1),
                  Told(notification, "accepted", 70_000, 2), Told(other, "accepted", 1_000, 1)]
        self.assertEqual(self.breaches(e), Counter())

    def test_O1_a_message_while_the_campaign_was_paused(self):
        e = clean()
        at = e.accepts[3].time_us
        for begins, ends, caught in ((at - 1, at + 1, 1), (at + 1, at + 2, 0)):
            e.faults = [Fault("hold", "campaign", 1, quiet_us=(begins, ends))]
            self.assertEqual(self.breaches(e)["O1"], caught)

    def test_O1_sent_again_after_it_was_cancelled(self):
        e = clean("resend")
        e.faults = [Fault("cancel", "campaign", 1, quiet_us=(50_000_000, 1 << 62))]
        for time_ms, caught in ((49_000, 0), (51_000, 1)):
            e.told = [Told("ab" * 32, "resent", time_ms, 2)]
            self.assertEqual(self.breaches(e)["O1"], caught)

    def test_O1_failed_as_cancelled_by_nobody(self):
        e = clean()
        reword(e, 2, kind="failed", code="semel:cancelled", message_id="")
        self.catches(e, "O1")
        e.faults = [Fault("cancel", "campaign", 1)]
        self.assertNotIn("O1", self.breaches(e))

    def test_I1_a_second_message_under_hold(self):
        e = clean()
        e.accepts.append(copy.copy(e.accepts[0]))
        self.catches(e, "I1")
        self.assertEqual(judge(e).duplicate, 1)

    def test_I1_a_message_to_a_stranger(self):
        e = clean()
        e.accepts.append(Accept("email", "relay-a", "stranger@example.com", "x1", 2))
        self.catches(e, "I1")

    def test_I1_a_duplicate_under_resend_only_of_a_resent_doubt(self):
        e = clean("resend")
        e.accepts.append(Accept(**{**e.accepts[0].__dict__, "message_id": "again"}))
        self.catches(e, "I1")
        e.faults = [Fault("kill", "email", 1, {"email": 1})]
        n = e.events[0].notification
        add_event(e, id="d", kind="in_doubt", channel="email", notification=n, attempt=1, time_us=2_000_000)
        add_event(e, id="r", kind="resent", channel="email", notification=n, attempt=2, time_us=2_100_000)
        reword(e, 0, attempt=2, time_us=2_200_000)
        self.assertEqual(self.breaches(e), Counter())
        withdrawn = copy.deepcopy(e)
        add_event(withdrawn, id="w", kind="failed", channel="email", notification=n, attempt=2, time_us=2_150_000,
                  code="semel:superseded")
        self.assertEqual(judge(withdrawn).duplicate, 1)  # a copy that was not sent, they say, and a gateway has it
        e.accepts[-1] = Accept(**{**e.accepts[0].__dict__, "message_id": "again", "sha256": "another"})
        self.catches(e, "I1")
        e.accepts.append(Accept(**{**e.accepts[0].__dict__, "message_id": "a third time"}))
        self.catches(e, "I1")

    def test_I2_counts_that_do_not_add_up(self):
        e = clean()
        e.report["channels"]["sms"]["accepted"] -= 1
        self.catches(e, "I2")

    def test_I2_a_coverage_that_does_not_close(self):
        e = clean()
        e.report["coverage"]["reached"] -= 1
        self.catches(e, "I2")
        e = clean()
        e.report["coverage"]["reached"] -= 1
        e.report["coverage"]["outstanding"] += 1
        self.catches(e, "I2")

    def test_I2_addresses_that_were_never_planned(self):
        e = clean()
        e.report["channels"]["email"]["planned"] -= 1
        e.report["channels"]["email"]["accepted"] -= 1
        self.catches(e, "I2")

    def test_I2_a_report_that_invents_outcomes(self):
        e = clean()
        gone = e.events.pop(0)
        del e.topic_events[gone.id]
        self.catches(e, "I2")

    def test_I3_accepted_by_nobody(self):
        e = clean()
        e.accepts.pop(0)
        self.catches(e, "I3")

    def test_I3_the_id_of_another_message(self):
        e = clean()
        reword(e, 0, message_id="never-given")
        self.catches(e, "I3")
        e = clean()
        reword(e, 0, message_id="m1", gateway=e.events[1].gateway)
        self.catches(e, "I3")

    def test_I3_the_ids_of_all_parts(self):
        e = clean()
        at = next(i for i, a in enumerate(e.accepts) if a.channel == "sms")
        one = e.accepts[at]
        e.accepts[at:at + 1] = [Accept(**{**one.__dict__, "part": n, "parts": 2, "message_id": f"p{n}"}) for n in (1, 2)]
        event = next(i for i, x in enumerate(e.events) if x.message_id == one.message_id)
        reword(e, event, message_id="p1,p2")
        self.assertEqual(self.breaches(e), Counter())
        reword(e, event, message_id="p1,p3")
        self.assertEqual(set(self.breaches(e)), {"I3"})

    def test_I3_an_sms_of_which_a_part_is_missing(self):
        e = clean()
        at = next(i for i, a in enumerate(e.accepts) if a.channel == "sms")
        parts = [Accept(**{**e.accepts[at].__dict__, "part": n, "parts": 3, "message_id": e.accepts[at].message_id}) for n in (1, 2, 3)]
        e.accepts[at:at + 1] = parts
        self.assertEqual(self.breaches(e), Counter())
        e.accepts.remove(parts[1])
        self.assertEqual(set(self.breaches(e)), {"I3"})

    def test_I1_a_part_of_an_sms_twice(self):
        e = clean()
        at = next(i for i, a in enumerate(e.accepts) if a.channel == "sms")
        parts = [Accept(**{**e.accepts[at].__dict__, "part": n, "parts": 2}) for n in (1, 2)]
        e.accepts[at:at + 1] = [*parts, parts[1]]
        self.assertEqual(set(self.breaches(e)), {"I1"})

    def test_I4_failed_and_accepted(self):
        e = clean()
        reword(e, 0, kind="failed", message_id="")
        e.report["channels"]["email"]["accepted"] -= 1
        e.report["channels"]["email"]["failed"] += 1
        self.assertEqual(set(self.breaches(e)), {"I4"})

    def test_a_late_refusal_of_a_copy_that_was_sent_again_is_not_an_end(self):
        e = clean("resend")
        e.faults = [Fault("kill", "email", 1, {"email": 1})]
        n = e.events[0].notification
        for id, kind, attempt in (("d", "in_doubt", 1), ("r", "resent", 2), ("f", "failed", 1)):
            add_event(e, id=id, kind=kind, channel="email", notification=n, attempt=attempt, time_us=2_000_000)
        unanswered = copy.deepcopy(e)
        del unanswered.events[0]
        self.catches(unanswered, "I2")  # neither failed nor done: nobody knows what became of the second copy
        reword(e, 0, attempt=2, time_us=2_200_000)
        self.assertEqual(self.breaches(e), Counter())

    def test_a_resend_in_vain_is_a_doubt_and_no_failure(self):
        for code in ("semel:expired", "550"):
            for accepted_there in (True, False):
                e = clean("resend")
                resend_in_vain(e, code=code, accepted_there=accepted_there)
                verdict = judge(e)
                self.assertEqual([str(b) for b in verdict.breaches], [])
                self.assertEqual(verdict.in_doubt, 1)

    def test_I4_a_resend_in_vain_that_is_called_failed(self):
        e = clean("resend")
        event = resend_in_vain(e, accepted_there=False)
        e.report["channels"][event.channel]["in_doubt"] -= 1
        e.report["channels"][event.channel]["failed"] += 1
        self.assertEqual(set(self.breaches(e)), {"I4"})
        # Until a late answer says that the first copy was refused as well.
        add_event(e, id="late", kind="failed", channel=event.channel, notification=event.notification, attempt=1,
                  code="550", time_us=5_000_003)
        e.in_doubt.clear()
        e.unreached.append(person_of(e, event).recipient_id)
        e.faults = [Fault("kill", event.channel, 4_000_000, {event.channel: 1})]
        self.assertEqual([str(b) for b in judge(e).breaches], [])

    def test_I6_a_resend_in_vain_that_is_not_listed(self):
        e = clean("resend")
        resend_in_vain(e)
        e.in_doubt.clear()
        self.catches(e, "I6")
        e = clean("resend")
        resend_in_vain(e)
        e.events = [x for x in e.events if x.kind != "unresolved"]
        self.catches(e, "I6")

    def test_I5_more_doubt_than_the_window(self):
        e = clean()
        emails = [i for i, x in enumerate(e.events) if x.channel == "email"][:3]
        for i in emails:
            put_in_doubt(e, i)
        e.faults = [Fault("kill", "email", 4_000_000, {"email": 2})]
        self.assertEqual(set(self.breaches(e)), {"I5"})
        e.faults = [Fault("kill", "email", 4_000_000, {"email": 3})]
        self.assertEqual(self.breaches(e), Counter())

    def test_I5_doubt_without_a_fault(self):
        e = clean()
        put_in_doubt(e)
        self.catches(e, "I5")
        e.faults = [Fault("kill", "sms", 4_000_000, {"sms": 100}), Fault("flush", "redis", 4_500_000, {})]
        self.catches(e, "I5")
        e.faults = [Fault("kill", "email", 6_000_000, {"email": 100})]  # after it
        self.catches(e, "I5")
        at = next(x.time_us for x in e.events if x.kind == "in_doubt")
        e.faults = [Fault("kill", "email", at + 60_000, {"email": 100})]
        self.catches(e, "I5")
        e.faults = [Fault("kill", "email", at + 10_000, {"email": 100})]  # by another clock
        self.assertEqual(self.breaches(e), Counter())

    def test_I5_faults_that_overlap_share_their_bounds_once(self):
        e = clean()
        for i in [i for i, x in enumerate(e.events) if x.channel == "email"][:4]:
            put_in_doubt(e, i)
        two = [Fault("kill", "email", 4_000_000, {"email": 2}), Fault("kill", "email", 4_500_000, {"email": 2})]
        e.faults = copy.deepcopy(two)
        self.assertEqual(self.breaches(e), Counter())
        e.faults = copy.deepcopy(two)
        put_in_doubt(e, [i for i, x in enumerate(e.events) if x.channel == "email"][5])
        self.catches(e, "I5")

    def test_I6_a_doubt_settled_wrongly(self):
        e = clean()
        e.faults = [Fault("kill", "email", 1, {"email": 9})]
        add_event(e, id="d", kind="in_doubt", channel="email", notification=e.events[0].notification, attempt=1,
                  time_us=1_500_000)
        self.assertEqual(self.breaches(e), Counter())
        e.accepts.pop(0)
        self.catches(e, "I6")
        self.assertEqual(judge(e).wrong, 1)

    def test_I6_a_doubt_that_is_not_listed(self):
        e = clean()
        e.faults = [Fault("kill", "email", 1, {"email": 9})]
        put_in_doubt(e)
        self.assertEqual(self.breaches(e), Counter())
        e.in_doubt.clear()
        self.catches(e, "I6")

    def test_I6_a_doubt_that_was_left_alone(self):
        for policy in ("hold", "resend"):
            e = clean(policy)
            e.faults = [Fault("kill", "email", 1, {"email": 9})]
            put_in_doubt(e, unresolved=False)
            self.catches(e, "I6")

    def test_I6_a_listed_doubt_that_is_none(self):
        e = clean()
        e.in_doubt.append({"notification": e.events[0].notification, "recipient_id": "", "channel": "email"})
        self.catches(e, "I6")

    def test_I6_a_doubt_that_a_receipt_has_answered(self):
        e = clean()
        e.faults = [Fault("kill", "email", 1, {"email": 9})]
        event = put_in_doubt(e)
        add_event(e, id="r", kind="receipt", channel="email", notification=event.notification, attempt=1, time_us=6_000_000)
        self.assertEqual(set(self.breaches(e)), {"I6"})

    def test_I6_an_sms_whose_every_part_has_a_receipt(self):
        e = clean()
        e.faults = [Fault("kill", "sms", 1, {"sms": 9})]
        event = put_in_doubt(e, next(n for n, one in enumerate(e.events) if one.channel == "sms"))
        first = next(n for n, a in enumerate(e.accepts) if a.message_id == event.message_id)
        e.accepts[first] = replace(e.accepts[first], parts=2)
        e.accepts.append(replace(e.accepts[first], message_id="second", part=2))
        for n, part in enumerate((event.message_id, event.message_id, "second")):
            self.assertFalse(self.breaches(e), "one part proves nothing, whoever repeats it")
            add_event(e, id=f"r{n}", kind="receipt", channel="sms", notification=event.notification, attempt=1,
                      message_id=part, time_us=6_000_000 + n)
        self.assertEqual(set(self.breaches(e)), {"I6"})

    def test_I7_an_event_that_the_ledger_lost(self):
        e = clean()
        e.topic_events["lost"] += 1
        self.assertEqual(set(self.breaches(e)), {"I7"})

    def test_I7_an_event_twice_in_the_ledger(self):
        e = clean()
        e.events.append(e.events[0])
        self.catches(e, "I7")

    def test_I7_a_row_that_no_event_made(self):
        e = clean()
        del e.topic_events[e.events[0].id]
        self.assertEqual(set(self.breaches(e)), {"I7"})

    def test_L1_dispatched_twice(self):
        e = clean()
        e.dispatched[e.events[0].notification, 1] += 1
        self.assertEqual(set(self.breaches(e)), {"L1"})

    def test_L1_never_dispatched(self):
        e = clean()
        del e.dispatched[e.events[0].notification, 1]
        self.assertEqual(set(self.breaches(e)), {"L1"})

    def test_L1_two_notifications_for_one_address(self):
        e = clean()
        own = next(l for l in e.links if l.role == "own")
        e.links.append(Link(own.row, own.channel, "f" * 64, "own"))
        self.catches(e, "L1")

    def test_L1_a_further_attempt_that_no_event_explains(self):
        e = clean()
        n = e.events[0].notification
        e.retried[n, 1] = 3  # it waited
        self.assertEqual(self.breaches(e), Counter())
        e.retried[n, 2] = 1
        self.assertEqual(set(self.breaches(e)), {"L1"})
        add_event(e, id="d", kind="deferred", channel="email", notification=n, attempt=1, time_us=900_000)
        self.assertEqual(self.breaches(e), Counter())

    def test_L1_a_dead_letter(self):
        e = clean()
        e.dead_letters = 1
        self.assertEqual(set(self.breaches(e)), {"L1"})

    def test_I9_a_register_that_is_not_the_audience(self):
        e = clean()
        e.register_entries -= 1
        self.assertEqual(set(self.breaches(e)), {"I9"})

    def test_I9_a_head_of_another_owner(self):
        e = clean()
        e.heads_astray = ["dispatch.email:3"]
        self.assertEqual(set(self.breaches(e)), {"I9"})

    def test_I9_a_claim_that_knows_better(self):
        e = clean()
        e.faults = [Fault("kill", "email", 1, {"email": 9})]
        event = put_in_doubt(e)
        e.claims_accepted = {event.notification}
        self.assertEqual(set(self.breaches(e)), {"I9"})

    def test_I10_more_than_the_limit_in_one_second(self):
        e = clean()
        e.limits = {"relay-a": (20, 2)}
        self.assertEqual(set(self.breaches(e)), {"I10"})

    def test_I10_what_a_gateway_reads_late_was_sent_within_the_limit(self):
        e = clean()
        e.limits = {"relay-a": (10, 2)}
        mine = [i for i, a in enumerate(e.accepts) if a.gateway == "relay-a"]
        for n, i in enumerate(mine):  # ten a second, and thirty at once after three seconds of silence
            e.accepts[i] = Accept(**{**e.accepts[i].__dict__, "time_us": 100_000 * (max(n, 60) if 30 <= n else n)})
        self.assertEqual(set(self.breaches(e)), {"I10"})
        e.faults = [Fault("hang", "relay-a", 3_000_000, until_us=6_000_000, held_up={"relay-a": 31})]
        self.assertEqual(self.breaches(e), Counter())
        e.faults[0].until_us -= 2_000_000
        self.assertEqual(set(self.breaches(e)), {"I10"})

    def test_R1_a_throttling_gateway_that_is_not_kept_busy(self):
        e = clean()
        e.allowed = {"relay-a": 4}
        first = next(a for a in e.accepts if a.gateway == "relay-a")
        def at(pace):
            return [replace(first, time_us=round(n * 1e6 / pace)) for n in range(200)]
        e.traffic = at(3)
        self.assertEqual(self.breaches(e), Counter())
        self.assertIn("relay-a allowed 4 a second and accepted 3", table(e, judge(e), 7))
        e.traffic = at(1.9)
        self.assertEqual(set(self.breaches(e)), {"R1"})
        e.traffic = at(1.9)[:100]
        self.assertEqual(self.breaches(e), Counter(), "over before it could settle")

    def test_I11_a_leak(self):
        e = clean()
        e.leaks = ["log/email.log:12"]
        self.assertEqual(set(self.breaches(e)), {"I11"})

    def test_G1_a_broken_protocol(self):
        e = clean()
        e.violations = {"smtp-2525": (0, ""), "smpp-2775": (1, "a rule")}
        self.assertEqual(set(self.breaches(e)), {"G1"})

    def test_G1_a_token_of_a_late_clock(self):
        e = clean()
        e.violations = {"apns-2197": (3, "a rule")}
        self.assertEqual(set(self.breaches(e)), {"G1"})
        e.faults = [Fault("clock", "push", 3_000_000)]
        self.assertEqual(self.breaches(e), Counter())

    def test_I12_nobody_told_and_nobody_listed(self):
        e = clean()
        person = next(p for p in e.truth.counted if p.email and not p.push and not p.sms
                      and len(e.truth.addresses["email", p.email]) == 1)
        e.accepts = [a for a in e.accepts if a.address != person.email]
        self.catches(e, "I12")
        self.assertEqual(judge(e).lost, 1)

    def test_I12_an_unreachable_person_who_is_not_listed(self):
        e = clean()
        self.assertGreater(len(e.unreached), 0)
        e.unreached.pop()
        self.assertEqual(set(self.breaches(e)), {"I12"})

    def test_breaches_name_no_address(self):
        e = clean()
        e.accepts = [a for a in e.accepts if a.channel != "email"] + [Accept("sms", "smsc-a", "+82100", "", 1)]
        text = "\n".join(str(b) for b in judge(e).breaches)
        for mark in people.MARKS:
            self.assertIsNone(mark.search(text.encode()), text)

    def test_the_table_has_the_bound_and_the_seed(self):
        e = clean()
        e.faults = [Fault("kill", "email", 4_000_000, {"email": 32}, 1.25), Fault("pause", "sms", 4_100_000, {"sms": None})]
        put_in_doubt(e)
        out = table(e, judge(e), 4711)
        self.assertRegex(out, r"kill email +1 +1 +32 +1\.2")
        self.assertRegex(out, r"pause sms +1 +0 +listed +-")
        self.assertIn("seed 4711", out)
        self.assertIn("lost 0", out)


if __name__ == "__main__":
    unittest.main()
