import unittest

from semel_chaos import people
from semel_chaos.attribution import Claimant, share
from semel_chaos.checker import Accept, Link
from semel_chaos.people import Person, Truth


def audience(*addresses, dedup="address"):
    return Truth([Person(n, f"R{n}", "en", "N", email=a) for n, a in enumerate(addresses, 1)], dedup)


def links(truth, prefix):
    """Each key's first row leads."""
    return [Link(row, "email", f"{prefix}{rows[0]:062x}", "own" if row == rows[0] else "covered")
            for rows in truth.addresses.values() for row in rows]


def claimant(prefix, *addresses, **more):
    truth = audience(*addresses, dedup=more.pop("dedup", "address"))
    return Claimant(truth, links(truth, prefix), **more)


def accept(address, id, message_id="m"):
    return Accept("email", "relay-a", address, message_id, 1, id=id)


class Attribution(unittest.TestCase):
    def test_an_address_of_one_audience_is_that_campaign_s_whatever_the_message_says(self):
        mine, _ = share([accept("a", "who knows"), accept("b", "")], [claimant("aa", "a"), claimant("bb", "b")])
        self.assertEqual([[a.address for a in m] for m in mine], [["a"], ["b"]])

    def test_a_shared_address_is_whose_notification_the_message_names(self):
        both = [claimant("aa", "a"), claimant("bb", "a")]
        mine, _ = share([accept("a", f"bb{1:062x}"), accept("a", "aa00"), accept("a", f"bb{1:062x}")], both)
        self.assertEqual([len(m) for m in mine], [1, 2])

    def test_what_nobody_explains_is_one_too_many_for_everybody(self):
        mine, _ = share([accept("a", "cc00")], [claimant("aa", "a"), claimant("bb", "a")])
        self.assertEqual([len(m) for m in mine], [1, 1])
        mine, _ = share([accept("stranger", "cc00")], [claimant("aa", "a"), claimant("bb", "a")])
        self.assertEqual([len(m) for m in mine], [1, 0])

    def test_the_gateway_s_id_decides_where_sixteen_bits_do_not(self):
        both = [claimant("aa00", "a"), claimant("aa00", "a", message_ids={("relay-a", "m7"): f"aa00{1:062x}"})]
        mine, _ = share([accept("a", "aa00", "m7")], both)
        self.assertEqual([len(m) for m in mine], [0, 1])

    def test_an_account_s_message_names_its_owner(self):
        mine, _ = share([accept("a", f"aa{2:062x}"), accept("a", f"aa{1:062x}")], [claimant("aa", "a", "a", dedup="account")])
        self.assertEqual([a.owner for a in mine[0]], ["R2", "R1"])

    def test_a_test_is_in_nobody_s_count(self):
        tested = claimant("aa", "a", tested=frozenset(("ee" * 32,)), testers={("email", "a"), ("email", "boss")})
        mine, tests = share([accept("a", "ee" * 32), accept("boss", "ee" * 32), accept("a", "aa00")], [tested])
        self.assertEqual(([len(m) for m in mine], [len(t) for t in tests]), ([1], [2]))


class Sharing(unittest.TestCase):
    def test_audiences_share_addresses(self):
        one, other = people.make(500, 1), people.sharing(people.make(500, 1, series=1), people.make(500, 1), 0.3, 1)
        self.assertGreater(len(one.places & other.places), 80)
        self.assertLess(len(one.places & other.places), 250)


if __name__ == "__main__":
    unittest.main()
