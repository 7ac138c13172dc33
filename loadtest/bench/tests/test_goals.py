import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench_goals import judged, plain, table, where_the_time_goes  # noqa: E402


def sample(rate, cpu=None, **more):
    return types.SimpleNamespace(rate=rate, cpu=cpu or {}, cores={"user": 0.5, "idle": 0.5}, more=more)


def found(rows, name):
    return next(row for row in rows if row["name"].startswith(name))


class Goals(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds_own(self):
        # The machine was slow for both in the second round: the medians of the rates would say 0.55 of 1000.
        measured = {"email-4k": {"semel": [sample(700), sample(310), sample(550)], "smtp-source": [sample(1000), sample(500), sample(1000)]}}
        row = found(judged(measured), "email of 4 KB")
        self.assertAlmostEqual(row["ratio"], 0.62)
        self.assertEqual((row["value"], row["low"], row["high"], row["reached"]), (550, 310, 700, True))

    def test_a_goal_whose_other_side_was_not_measured_is_neither_reached_nor_missed(self):
        self.assertIsNone(found(judged({"push": {"semel": [sample(1)]}}), "push end to end")["reached"])

    def test_the_sink_is_no_part_of_a_mails_cpu(self):
        cpu = {"email": (100.0, 80.0), "kafka": (40.0, 10.0), "smtp-sink": (50.0, 50.0), "(in nobody's account)": (0.0, 90.0)}
        row = found(judged({"email-4k": {"semel": [sample(1, cpu)]}}), "CPU for a mail")
        self.assertEqual((row["value"], row["reached"]), (230, False))

    def test_at_most_is_held_from_above(self):
        row = found(judged({"email-4k": {"semel": [sample(1, **{"Redis a leader": 40})]}}), "Redis: a leader")
        self.assertTrue(row["reached"])


class Lines(unittest.TestCase):
    measured = {"sms": {"semel": [sample(4000, {"sms": (30.0, 34.0)})], "kannel spool": [sample(1000)]}}

    def test_everybodys_ratio_is_to_the_first_that_is_not_semel(self):
        self.assertEqual([row["ratio"] for row in plain(self.measured) if row["unit"] == "1/s"], [4, 1])

    def test_a_table_says_whether_a_goal_is_reached(self):
        self.assertIn("at least 4: reached", table(judged(self.measured)))

    def test_cpu_is_told_by_process_own_code_and_kernel_apart(self):
        self.assertIn("sms 64 (30 + 34)", where_the_time_goes("sms", "semel", self.measured["sms"]["semel"]))


if __name__ == "__main__":
    unittest.main()
