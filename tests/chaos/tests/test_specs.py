import unittest

from semel_chaos import faults, schedule, specs

POINTS = {"email": ["delivery.claim.taken", "delivery.take_over.assigned"], "sms": ["delivery.claim.taken"],
          "plan": ["plan.release.produced", "plan.report.produced"], "intake": ["intake.chunks.produced"]}


class Specs(unittest.TestCase):
    def one(self, spec):
        order = specs.parse(spec)
        self.assertEqual(len(order.step), 1)
        return order.step[0]

    def test_reads_what_each_fault_prints(self):
        steps, staged = schedule.draw(schedule.PROFILES["short"], 3, POINTS)
        every = [f for step in steps for f in step[:2] if isinstance(f, faults.Fault)] + [f for fs in staged.values() for f in fs]
        self.assertGreater(len({type(f) for f in every}), 15)
        for fault in every:
            again = self.one(str(fault))
            self.assertEqual((type(again), str(again)), (type(fault), str(fault)))

    def test_reads_a_failpoint_with_its_hit(self):
        fault = self.one("failpoint email delivery.claim.taken:5")
        self.assertEqual((fault.target, fault.point, fault.hit), ("email", "delivery.claim.taken", 5))
        self.assertEqual(self.one("failpoint email delivery.claim.taken:2 (not reached: killed)").hit, 2)
        self.assertEqual(self.one("failpoint email delivery.claim.taken").hit, 1)

    def test_a_point_of_a_step_is_armed_for_it(self):
        order = specs.parse("failpoint intake intake.chunks.produced:2")
        self.assertEqual((order.stage, type(order.step[0]), order.step[0].hit), ("add", faults.DieDuringStep, 2))

    def test_reads_numbers_with_and_without_their_unit(self):
        for spec in ("clock email -3600 8", "clock email -3600 s for 8 s", "clock email -3600s 8s"):
            fault = self.one(spec)
            self.assertEqual((fault.step_s, fault.seconds), (-3600, 8))
        self.assertEqual(self.one("cut relay-a request at -3 silently").cut.at, -3)
        self.assertEqual(self.one("pause sms-2 1.5").seconds, 1.5)

    def test_a_name_of_several_words_wins_over_its_first(self):
        self.assertEqual(self.one("reset before the end apns 4").lie, "reset before the end")
        self.assertEqual(self.one("refuse for now apns 4").lie, "refuse for now")
        self.assertIs(type(self.one("refuse apns 4")), faults.Refuse)

    def test_reads_what_no_schedule_draws(self):
        for spec, kind in (("memory full redis 5 s", faults.FillRedis), ("disk full redis 5 s", faults.FillRedisDisk), ("disk full postgres 5 s", faults.FillPostgres),
                           ("cut off email from redis 25 s", faults.CutOff), ("cut off sms from kafka 10 s", faults.CutOff),
                           ("hold postgres 20 s", faults.HoldPostgres),
                           ("hold campaign 8 s", faults.HoldCampaign), ("cancel campaign", faults.CancelCampaign),
                           ("refuse for good smsc-a 5 s", faults.Lie)):
            fault = self.one(spec)
            self.assertEqual((type(fault), str(fault)), (kind, spec))

    def test_two_overlap(self):
        first, second, gap = specs.parse("silence relay-a 8 + kill email").step
        self.assertEqual((str(first), str(second)), ("silence relay-a 8 s", "kill email"))
        self.assertGreater(gap, 0)

    def test_a_fault_before_a_step(self):
        order = specs.parse("launch: flushall redis")
        self.assertEqual((order.stage, str(order)), ("launch", "launch: flushall redis"))

    def test_says_what_is_wrong(self):
        for spec, words in (("", "there are"), ("explode email", "there are"), ("kill", "needs a target, one of api"),
                            ("kill mail", "one of api"), ("kill email 5", "'5' is too much"), ("pause email", "seconds is missing"),
                            ("pause email soon", "is a number"), ("pause email -1", "more than 0"), ("flushall email", "one of redis"),
                            ("failpoint email", "the point is missing"), ("failpoint email claim", "--list-failpoints"),
                            ("failpoint email delivery.claim.taken:0", "from 1 on"), ("cut relay-a 3", "a request or a reply"),
                            ("storm push 9", "1 to 4"), ("cut off email 5 s", "from kafka or from redis"), ("start: kill email", "create, add, seal, launch"),
                            ("kill email + kill sms + kill push", "no more than two"), ("add: kill email + kill sms", "one fault at a time"),
                            ("reset relay-b", "relay-a")):
            with self.assertRaises(specs.Wrong) as caught:
                specs.parse(spec)
            self.assertIn(words, str(caught.exception), spec)


if __name__ == "__main__":
    unittest.main()
