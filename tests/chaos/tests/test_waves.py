import unittest

from semel_chaos import waves
from semel_chaos.checker import Accept
from semel_chaos.people import Person, Truth


def wave(*people):
    return Truth([Person(row, f"R{row}", "en", "x", email=email, segments=segments) for row, (email, segments) in enumerate(people, 1)])


class Waves(unittest.TestCase):
    def test_share_addresses_and_count_their_rows_from_one(self):
        large, small = waves.split(1_000, 7)
        self.assertEqual((small.people[0].row, len(large.people), len(small.people)), (1, 800, 200))
        self.assertGreater(len(set(large.addresses) & set(small.addresses)), 30)

    def test_an_address_is_told_once_whatever_wave_has_it(self):
        self.assertEqual(waves.expected([wave(("a", ""), ("a", "")), wave(("a", ""), ("b", ""))]),
                         {("email", "a"): 1, ("email", "b"): 1})

    def test_a_segment_that_only_a_later_wave_brings_is_a_supplement(self):
        plain, coded = wave(("a", "")), wave(("a", "entrance_code"))
        self.assertEqual(waves.expected([plain, coded])["email", "a"], 2)
        self.assertEqual(waves.expected([coded, plain])["email", "a"], 1)
        self.assertEqual(waves.expected([coded, coded])["email", "a"], 1)

    def test_an_sms_of_several_parts_is_one_message(self):
        came = waves.messages([Accept("sms", "smsc-a", "n", f"m{i}", i, part=1 + i % 2, parts=2) for i in range(4)])
        self.assertEqual(came, {("sms", "n"): 2})

    def test_complains_of_each_kind_and_names_no_address(self):
        expectation = waves.expected([wave(("a", ""), ("b", ""))])
        self.assertEqual(waves.complaints(expectation, {("email", "a"): 1, ("email", "b"): 1}), [])
        for came, words in (({("email", "a"): 2, ("email", "b"): 1}, "I1: 1 addresses were told more often than they should (email 1)"),
                            ({("email", "a"): 1}, "I12: 1 addresses got less than they should (email 1)"),
                            ({("email", "a"): 1, ("email", "b"): 1, ("email", "c"): 1}, "I1: 1 addresses are in neither wave, and were told (email 1)")):
            self.assertEqual([str(b) for b in waves.complaints(expectation, came)], [words])

    def test_a_verdict_counts_the_lost_and_the_doubled(self):
        verdict = waves.judge(waves.expected([wave(("a", ""), ("b", ""))]), {("email", "a"): 3})
        self.assertEqual((verdict.ok, verdict.accepted, verdict.lost, verdict.duplicate), (False, 3, 1, 2))


if __name__ == "__main__":
    unittest.main()
