import tempfile
import unittest
from pathlib import Path

from semel_chaos.workshop import CannotBuild, Workshop

PATCH = """\
It says no.

--- a/said.txt
+++ b/said.txt
@@ -1 +1 @@
-yes
+no
"""
# What is "built" is a copy of the source.
BUILDER = ("sh", "-c", 'mkdir -p build/chaos/bin && cp said.txt build/chaos/bin/', "builder")


class OneBugAfterTheOther(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.shop = Workshop(self.folder, BUILDER)
        self.shop.copy.mkdir()
        self.shop.logs.mkdir()
        self.source = self.shop.copy / "said.txt"
        self.source.write_text("yes\n")
        self.patch = self.folder / "no.patch"
        self.patch.write_text(PATCH)

    def test_has_binaries_of_its_own_and_leaves_the_sources_as_they_were(self):
        self.shop.build("no", self.patch)
        self.shop.build("clean")
        self.assertEqual([(self.shop.binaries(n) / "said.txt").read_text() for n in ("no", "clean")], ["no\n", "yes\n"])
        self.assertEqual(self.source.read_text(), "yes\n")
        self.shop.clear("no")
        self.assertEqual([self.shop.binaries(n).exists() for n in ("no", "clean")], [False, True])

    def test_builds_its_own_targets_alone(self):
        self.shop.builder = ("sh", "-c", 'mkdir -p build/chaos/bin && echo "$@" > build/chaos/bin/words', "builder")
        for targets, words in ((("one_test",), "--preset chaos --target one_test -- -j2"), ((), "--preset chaos -- -j2")):
            self.shop.targets = targets
            self.shop.build("clean")
            self.assertEqual((self.shop.binaries("clean") / "words").read_text().strip(), f"cmake --build {words}")

    def test_that_cannot_be_built_is_taken_back_all_the_same(self):
        self.shop.builder = ("false",)
        with self.assertRaises(CannotBuild) as caught:
            self.shop.build("no", self.patch)
        self.assertIn("no.build.log", str(caught.exception))
        self.assertEqual(self.source.read_text(), "yes\n")

    def test_that_does_not_fit_is_said(self):
        self.source.write_text("perhaps\n")
        with self.assertRaises(CannotBuild):
            self.shop.build("no", self.patch)
        self.assertEqual(self.source.read_text(), "perhaps\n")


if __name__ == "__main__":
    unittest.main()
