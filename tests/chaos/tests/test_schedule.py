import unittest
from collections import Counter

from semel_chaos import faults, schedule, stories

POINTS = {"email": ["delivery.claim.taken", "delivery.take_over.assigned", "email.own"],
          "sms": ["delivery.claim.taken", "delivery.take_over.assigned"], "plan": ["plan.a", "plan.report.produced"],
          "intake": ["intake.chunks.produced"]}


def while_sending(profile, seed):
    return schedule.draw(schedule.PROFILES[profile], seed, POINTS)[0]


def all_of(profile, seed):
    steps, staged = schedule.draw(schedule.PROFILES[profile], seed, POINTS)
    return [f for step in steps for f in step[:2] if isinstance(f, faults.Fault)] + [f for fs in staged.values() for f in fs]


class Schedule(unittest.TestCase):
    def words(self, steps):
        return [tuple(str(part) for part in step) for step in steps]

    def test_is_a_function_of_the_seed(self):
        self.assertEqual(self.words(while_sending("short", 1)), self.words(while_sending("short", 1)))
        self.assertNotEqual(self.words(while_sending("short", 1)), self.words(while_sending("short", 2)))

    def test_has_every_fault_of_its_profile(self):
        profile = schedule.PROFILES["short"]
        all_faults = all_of("short", 1)
        self.assertEqual(len(all_faults), profile.kills + profile.failpoints + profile.pauses + profile.long_pauses +
                         profile.redis + profile.kafka + profile.postgres + profile.full_disks + profile.network + profile.lies + profile.storms + profile.clocks +
                         profile.full_redis + profile.holds + profile.refusals + profile.cut_offs)
        self.assertGreater(sum(len(s) == 3 for s in while_sending("short", 1)), 5)

    def test_meets_every_failpoint_before_any_again(self):
        seen = Counter(f.point for f in all_of("short", 1) if isinstance(f, faults.KillAtFailpoint))
        self.assertEqual(set(seen), {p for points in POINTS.values() for p in points})
        self.assertLessEqual(max(seen.values()) - min(seen.values()), 1)

    def test_a_point_of_a_step_is_armed_for_that_step(self):
        _, staged = schedule.draw(schedule.PROFILES["short"], 1, POINTS)
        self.assertEqual({f.point for f in staged["add"]}, {"intake.chunks.produced"})
        self.assertEqual({f.point for f in staged["seal"]}, {"plan.report.produced"})
        self.assertFalse(any(schedule.stage_of(f.point) for step in while_sending("short", 1) for f in step[:2]
                             if isinstance(f, faults.KillAtFailpoint)))

    def test_kills_at_random_where_no_failpoints_are_compiled_in(self):
        steps, _ = schedule.draw(schedule.PROFILES["smoke"], 1, {})
        self.assertFalse(any(isinstance(f, faults.KillAtFailpoint) for s in steps for f in s[:2]))

    def test_never_does_two_faults_to_one_target_at_once(self):
        for seed in range(20):
            for step in while_sending("short", seed):
                if len(step) == 3:
                    self.assertNotEqual(step[0].target, step[1].target)

    def test_draws_what_operators_do_and_what_is_full_or_hangs(self):
        kinds = {type(f) for f in all_of("short", 1)}
        for kind in (faults.HoldCampaign, faults.HoldPostgres, faults.FillRedis, faults.FillRedisDisk, faults.CutOff):
            self.assertIn(kind, kinds)
        self.assertIn("refuse for good", {f.name for f in all_of("smoke", 1)})

    def test_every_profile_tells_stories_that_there_are(self):
        for profile in schedule.PROFILES.values():
            self.assertLessEqual(set(profile.stories), set(stories.NAMES))
        self.assertEqual(set(schedule.PROFILES["short"].stories), set(stories.NAMES))

    def test_a_failpoint_of_a_rare_path_is_provoked(self):
        for point, how in (("delivery.take_over.assigned", "restart"), ("delivery.rebuild.begun", "forget"),
                           ("delivery.revoke.closing", "join"), ("delivery.commit.unknown", "silence"),
                           ("delivery.drain.begun", "stop"), ("delivery.claim.taken", "")):
            self.assertEqual(faults.KillAtFailpoint("email", point).provocation, how, point)


class Bounds(unittest.TestCase):
    class stack:
        WINDOWS = {"relay-a": 16, "apns": 40, "fcm": 40, "smsc-a": 32}

    def test_a_killed_dispatcher_leaves_its_window(self):
        self.assertEqual(faults.Kill("email").bound(self.stack), {"email": 16})
        self.assertEqual(faults.Kill("push-2").bound(self.stack), {"push": 80})

    def test_other_faults_leave_nothing(self):
        for fault in (faults.Kill("plan"), faults.FlushRedis(), faults.KillKafka(), faults.KillPostgres(),
                      faults.PauseKafka(3), faults.PauseRedis(3), faults.Pause("ledger", 3)):
            self.assertEqual(fault.bound(self.stack), {}, fault)


if __name__ == "__main__":
    unittest.main()
