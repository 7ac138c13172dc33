import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

from semel_chaos import checker, faults
from semel_chaos.stack import DISPATCHERS
from semel_chaos.striker import Striker

S = 1_000_000
OF_ALL = {c: faults.RANGE for c in DISPATCHERS}


class LostPartitions(unittest.TestCase):
    """Kafka away for longer than a session, and a Redis that forgets: what a dispatcher was about to commit is in doubt."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.striker = Striker(SimpleNamespace(dir=self.dir.name), None)

    def kafka_away(self, since, until):
        record = checker.Fault("pause", "kafka", since * S, {})
        record.until_us = until * S
        self.striker.share_a_loss_of_partitions(faults.PauseKafka(until - since), record)
        return record.bound

    def redis_forgets(self, at):
        record = checker.Fault("flushall", "redis", at * S, {})
        self.striker.share_a_loss_of_redis(faults.FlushRedis(), record)
        return record.bound

    def test_nothing_is_in_doubt_where_only_one_of_them_goes(self):
        self.assertEqual(self.redis_forgets(100), {})
        self.assertEqual(self.kafka_away(120, 142), {})
        self.assertEqual(self.redis_forgets(160), {})

    def test_everything_may_be_where_redis_forgets_meanwhile_or_just_before(self):
        self.redis_forgets(101)
        self.assertEqual(self.kafka_away(100, 122), OF_ALL)
        self.redis_forgets(200)
        self.assertEqual(self.kafka_away(203, 215), OF_ALL)

    def test_and_where_redis_forgets_before_all_is_taken_over(self):
        self.kafka_away(100, 122)
        self.assertEqual(self.redis_forgets(124), OF_ALL)
        self.assertEqual(self.redis_forgets(140), {})

    def test_a_pause_counts_until_it_is_over(self):
        pause = checker.Fault("pause", "email", 100 * S, {"email": 16})
        self.striker.done.append(pause)
        self.assertEqual(self.redis_forgets(130), {"email": faults.RANGE}, "it goes on")
        pause.until_us = 167 * S
        self.assertEqual(self.redis_forgets(168), {"email": faults.RANGE})
        self.assertEqual(self.redis_forgets(180), {})

    def test_a_session_outlasts_a_short_absence(self):
        self.redis_forgets(101)
        self.assertEqual(self.kafka_away(100, 106), {})

    def test_a_strike_asks_when_it_is_over(self):
        clock = [100 * S]

        class Away(faults.PauseKafka):
            def strike(self, stack):
                clock[0] += 22 * S

            def mend(self, stack):
                pass

        self.redis_forgets(101)
        with mock.patch("semel_chaos.striker.now_us", lambda: clock[0]):
            self.striker.strike(Away(22), sending=False)
        self.assertEqual(self.striker.done[-1].bound, OF_ALL)


class Recovery(unittest.TestCase):
    def after(self, accepted):
        """What is written of a fault after which the gateways' counts are these, one after the other."""
        counts = iter(accepted)
        campaign = SimpleNamespace(planned=lambda channel: 100, accepted=lambda: {"sms": next(counts)}, over=lambda: False)
        striker, record = Striker(SimpleNamespace(dir="."), campaign), checker.Fault("kill", "sms", S)
        ticks = iter(range(10_000))
        with mock.patch("semel_chaos.striker.time.monotonic", lambda: next(ticks)), mock.patch("semel_chaos.striker.time.sleep"):
            return striker.recovery(SimpleNamespace(channels=lambda: ["sms"]), record, 0), record

    def test_a_channel_that_stands_still_is_written_down(self):
        seconds, record = self.after([10] * 1_000)
        self.assertIsNone(seconds)
        self.assertEqual(record.still, ("sms",))
        self.assertLessEqual(*record.still_us)

    def test_one_that_goes_on_is_not(self):
        seconds, record = self.after([10] * 20 + [11] * 1_000)
        self.assertLess(seconds, Striker.RECOVERY_S)
        self.assertEqual(record.still, ())

    def test_nor_one_of_which_a_few_are_left(self):
        seconds, record = self.after([98] * 1_000)
        self.assertIsNone(seconds)
        self.assertEqual(record.still, ())


if __name__ == "__main__":
    unittest.main()
