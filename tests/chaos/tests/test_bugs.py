import os
import subprocess
import unittest

from semel_chaos import bugs, specs, stories
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


SIMULATED = ROOT / "tests/simulation/bugs"


class Patches(unittest.TestCase):
    def test_there_are_enough_of_them(self):
        self.assertGreaterEqual(len(bugs.all_bugs()), 12)

    def test_they_still_fit_the_sources(self):
        for bug in [*bugs.all_bugs(), *bugs.all_bugs(SIMULATED)]:
            # Read as if there were no repository, so that a working tree without history does as well.
            done = subprocess.run(["git", "apply", "--check", bug.file], cwd=ROOT, capture_output=True, text=True,
                                  env={**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)})
            self.assertEqual(done.returncode, 0, f"{bug.name}.patch no longer fits what it breaks: {done.stderr}"
                                                 f"make the same mistake in today's code and write the diff anew")

    def test_each_names_faults_that_can_be_done(self):
        for bug in bugs.all_bugs():
            self.assertTrue(bug.faults or stories.STORIES[bug.story].faults, bug.name)
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
                            (PATCH.replace("500", "some"), "not a number"), (PATCH[:PATCH.index("\n---")], "no diff"),
                            (PATCH[PATCH.index("Expect"):], "does not say"), (PATCH.replace("People: 500", "Policy: no"), "neither"),
                            (PATCH.replace("People: 500", "Alone: so"), "neither"),
                            (PATCH.replace("People: 500", "Story: mine"), "mine")):
            with self.assertRaises(bugs.Malformed) as caught:
                bugs.read("all", what)
            self.assertIn(words, str(caught.exception))

    def test_says_who_runs_alone_and_what_is_changed(self):
        bug = bugs.read("all", PATCH.replace("People: 500", "Alone: yes\nStory: several"))
        self.assertEqual((bug.alone, bug.changes, bug.people, bug.story), (True, ("file",), 3_000, "several"))
        self.assertEqual((bugs.read("all", PATCH).alone, bugs.read("all", PATCH).story), (False, "plain"))

    def test_breaches_are_read_from_what_a_run_prints(self):
        self.assertEqual(bugs.breaches("planned 3\nBREACH I1: 2 accepted 2 times (ab)\nBREACH L1: so\nchaos: BROKEN"),
                         [("I1", "2 accepted 2 times (ab)"), ("L1", "so")])


def bug(name, *changes, **more):
    return bugs.Bug(name, "is wrong", ("I1",), **{"faults": ("kill email",), "changes": changes, **more})


class Plan(unittest.TestCase):
    def test_what_changes_one_file_is_built_in_a_row_and_what_runs_alone_comes_last(self):
        some = [bug("a", "x"), bug("b", "y", alone=True), bug("c", "z"), bug("d", "x"), bug("e", "z", linger=9), bug("f", "x")]
        self.assertEqual("".join(b.name for b in bugs.in_order(some)), "ecadfb")

    def test_every_fault_is_done_without_the_bugs_too(self):
        some = [bug("a"), bug("b", faults=("kill sms", "kill email"), linger=7), bug("c", policy="resend"),
                bug("d", faults=("cancel campaign",)), bug("e", faults=("kill plan", "cancel campaign")),
                bug("f", faults=(), story="several")]
        found = {(c.policy, c.story, c.faults, c.linger) for c in bugs.controls(some)}
        self.assertEqual(found, {("hold", "plain", ("kill email", "kill sms"), 7), ("resend", "plain", ("kill email",), 0),
                                 # cancelled last: nothing could follow
                                 ("hold", "plain", ("kill plan", "cancel campaign"), 0), ("hold", "several", (), 0)})

    def test_controls_have_nothing_wrong_and_expect_nothing(self):
        for by_bug in (False, True):
            for control in bugs.controls([bug("a", "x"), bug("b", "y", alone=True)], by_bug):
                self.assertEqual((control.file, control.expect, control.changes), (None, (), ()))
        alone = [c.alone for c in bugs.controls([bug("a"), bug("b", alone=True)], by_bug=True)]
        self.assertEqual(alone, [False, True])


if __name__ == "__main__":
    unittest.main()
