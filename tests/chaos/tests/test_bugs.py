import os
import subprocess
import unittest

from semel_chaos import bugs, specs
from semel_chaos.stack import ROOT

PATCH = """\
Everything is wrong,
from end to end.
Expect: I1 or L1
Faults: kill email
Faults: wait 8 s
People: 500

--- a/file
+++ b/file
@@ -1 +1 @@
-a
+b
"""


class Patches(unittest.TestCase):
    def test_there_are_enough_of_them(self):
        self.assertGreaterEqual(len(bugs.all_bugs()), 12)

    def test_they_still_fit_the_sources(self):
        for bug in bugs.all_bugs():
            # Read as if there were no repository, so that a working tree without history does as well.
            done = subprocess.run(["git", "apply", "--check", bug.file], cwd=ROOT, capture_output=True, text=True,
                                  env={**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)})
            self.assertEqual(done.returncode, 0, f"{bug.name}.patch no longer fits what it breaks: {done.stderr}"
                                                 f"make the same mistake in today's code and write the diff anew")

    def test_each_names_faults_that_can_be_done(self):
        for bug in bugs.all_bugs():
            self.assertTrue(bug.faults, bug.name)
            for fault in bug.faults:
                specs.parse(fault)

    def test_together_they_are_about_most_invariants(self):
        self.assertGreaterEqual(len({i for bug in bugs.all_bugs() for i in bug.expect}), 8)


class Header(unittest.TestCase):
    def test_says_what_is_wrong_and_who_must_catch_it(self):
        bug = bugs.read("all", PATCH)
        self.assertEqual((bug.what, bug.expect, bug.faults, bug.people, bug.policy, bug.linger),
                         ("Everything is wrong, from end to end.", ("I1", "L1"), ("kill email", "wait 8 s"), 500, "hold", 0))

    def test_must_be_whole(self):
        for what, words in ((PATCH.replace("I1", "I13"), "I13"), (PATCH.replace("Expect: I1 or L1\n", ""), "nothing"),
                            (PATCH.replace("500", "some"), "no number"), (PATCH[:PATCH.index("\n---")], "no diff"),
                            (PATCH[PATCH.index("Expect"):], "does not say"), (PATCH.replace("People: 500", "Policy: no"), "neither")):
            with self.assertRaises(bugs.Malformed) as caught:
                bugs.read("all", what)
            self.assertIn(words, str(caught.exception))

    def test_breaches_are_read_from_what_a_run_prints(self):
        self.assertEqual(bugs.breaches("planned 3\nBREACH I1: 2 accepted 2 times (ab)\nBREACH L1: so\nchaos: BROKEN"),
                         [("I1", "2 accepted 2 times (ab)"), ("L1", "so")])


if __name__ == "__main__":
    unittest.main()
