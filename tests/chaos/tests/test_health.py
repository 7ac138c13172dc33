import unittest

from semel_chaos import health
from semel_chaos.checker import Fault

S = 1_000_000


def still(**fields):
    return Fault("kill", "sms", 100 * S, until_us=101 * S, still=("sms",), still_us=(102 * S, 192 * S), **fields)


def found(faults=(), memory=()):
    return [b.invariant for b in health.breaches(faults, dict(memory))]


class Health(unittest.TestCase):
    def test_a_channel_that_stands_still_after_a_fault(self):
        self.assertEqual(found([still()]), ["S2"])
        self.assertEqual(found([Fault("kill", "sms", 100 * S, until_us=101 * S)]), [])

    def test_it_may_where_another_fault_goes_on(self):
        self.assertEqual(found([still(), Fault("pause", "sms", 103 * S, until_us=187 * S)]), [])
        self.assertEqual(found([still(), Fault("pause", "sms", 50 * S, until_us=103 * S)]), [])
        self.assertEqual(found([still(), Fault("pause", "sms", 103 * S)]), [], "it is not over")
        self.assertEqual(found([still(), Fault("pause", "sms", 10 * S, until_us=94 * S)]), ["S2"], "it was over before")
        self.assertEqual(found([still(), Fault("pause", "sms", 193 * S, until_us=200 * S)]), ["S2"], "it came later")

    def test_a_process_that_swells(self):
        self.assertEqual(found(memory={"sms": 250.0, "sms-2": 1_024.0}), [])
        self.assertEqual(found(memory={"sms": 250.0, "sms-2": 1_025.0}), ["S3"])
