import unittest

from beside.tally import Accepted, broken_promises, tally

SENT = {"+1", "+2", "+3", "+4"}


def accepts(*addresses, start=0, connection=1):
    return [Accepted(a, start + i * 1_000_000, connection) for i, a in enumerate(addresses, 1)]


class EveryNumberCanBeWrong(unittest.TestCase):
    def test_all_once(self):
        t = tally(SENT, accepts("+1", "+2", "+3", "+4"), kill_us=3_000_000)
        self.assertEqual((4, 4, 0, 0, 0, 0), (t.sent, t.accepted, t.lost, t.twice, t.in_doubt, t.strangers))

    def test_lost_is_what_nobody_has_and_nobody_names(self):
        t = tally(SENT, accepts("+1", "+2"), 9, in_doubt={"+2", "+3"})
        self.assertEqual((2, 1, 2, 1), (t.accepted, t.lost, t.in_doubt, t.in_doubt_accepted))

    def test_twice_counts_messages_and_not_copies(self):
        t = tally(SENT, accepts("+1", "+1", "+1", "+2", "+2"), 9)
        self.assertEqual((2, 2, 2), (t.accepted, t.twice, t.lost))

    def test_a_stranger_is_neither_sent_nor_accepted(self):
        t = tally(SENT, accepts("+1", "+9", "+9"), 9)
        self.assertEqual((1, 0, 1), (t.accepted, t.twice, t.strangers))

    def test_back_is_the_first_acceptance_on_a_new_connection(self):
        in_the_socket = [Accepted("+3", 3_100_000, 1)]
        t = tally(SENT, accepts("+1", "+2") + in_the_socket + accepts("+4", start=3_000_000, connection=2), 3_000_000)
        self.assertEqual((2, 1.0), (t.at_kill, t.back_s))
        self.assertAlmostEqual(1.0, t.rate)  # two in the two seconds from the first to the kill

    def test_nothing_came_after_the_kill(self):
        self.assertIsNone(tally(SENT, accepts("+1"), 2_000_000).back_s)
        self.assertIsNone(tally(SENT, [], 2_000_000).back_s)

    def test_promises(self):
        kept = tally(SENT, accepts("+1", "+2", "+3"), 9, in_doubt={"+4"})
        self.assertEqual([], broken_promises(kept, window=1))
        self.assertEqual(["1 messages in doubt, more than the window of 0"], broken_promises(kept, window=0))
        broken = tally(SENT, accepts("+1", "+2", "+2"), 9)
        self.assertEqual(["2 messages lost", "1 messages sent twice"], broken_promises(broken, window=1))


if __name__ == "__main__":
    unittest.main()
