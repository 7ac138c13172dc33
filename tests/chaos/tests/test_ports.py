import random
import unittest

from semel_chaos.stack import free_base


class Ports(unittest.TestCase):
    def test_of_two_harnesses_are_never_the_same_though_nothing_listens_yet(self):
        self.assertNotEqual(free_base(3, random.Random(5)), free_base(3, random.Random(5)))


if __name__ == "__main__":
    unittest.main()
