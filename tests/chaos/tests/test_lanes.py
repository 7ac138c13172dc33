import threading
import unittest
from dataclasses import dataclass

from semel_chaos.lanes import Lanes, Quiet
from semel_chaos.stack import wait_for

SECONDS = 20  # until a test that hangs is called failed


@dataclass(frozen=True)
class Job:
    name: str
    alone: bool = False


class Recorder:
    """Steps that tell who was at work with them, and that wait for what a test says."""

    def __init__(self):
        self.lock = threading.Lock()
        self.at_work, self.order, self.beside, self.errors = set(), [], {}, {}
        self.begun = {}  # step -> an event that it sets
        self.waits = {}  # step -> an event that it waits for before it ends
        self.broken = set()
        self.most = 0  # campaigns at once

    def step(self, what, job):
        mine = (what, job.name)
        with self.lock:
            self.at_work.add(mine)
            self.order.append(mine)
            self.most = max(self.most, sum(at == "run" for at, _ in self.at_work))
            for other in self.at_work:
                self.beside.setdefault(other, set()).update(self.at_work - {other})
        try:
            self.when(*mine).set()
            if mine in self.waits and not self.waits[mine].wait(SECONDS):
                raise AssertionError(f"{mine} waited in vain")
            if mine in self.broken:
                raise ValueError(f"{what} of {job.name}")
        finally:
            with self.lock:
                self.at_work.remove(mine)

    def when(self, what, name):
        return self.begun.setdefault((what, name), threading.Event())

    def lanes(self, **more):
        return Lanes(lambda job: self.step("build", job), lambda job: self.step("run", job),
                     lambda job, error: self.errors.update({job.name: error}), **more)


class AllJobs(unittest.TestCase):
    def carry_out(self, lanes, jobs):
        thread = threading.Thread(target=lanes.carry_out, args=(jobs,), daemon=True)
        thread.start()
        thread.join(SECONDS)
        self.assertFalse(thread.is_alive(), "the lanes did not come to their end")

    def test_the_next_is_built_while_one_runs(self):
        seen = Recorder()
        seen.waits["run", "a"], seen.waits["build", "b"] = seen.when("build", "b"), seen.when("run", "a")
        self.carry_out(seen.lanes(at_once=1), [Job("a"), Job("b")])
        self.assertEqual(seen.errors, {})
        self.assertIn(("build", "b"), seen.beside["run", "a"])

    def test_as_many_run_at_once_as_there_are_lanes_and_no_more(self):
        seen = Recorder()
        seen.waits["run", "a"], seen.waits["run", "b"] = seen.when("run", "b"), seen.when("build", "d")
        self.carry_out(seen.lanes(at_once=2), [Job(n) for n in "abcdefgh"])
        self.assertEqual((seen.errors, seen.most), ({}, 2))
        self.assertEqual(sorted(n for what, n in seen.order if what == "run"), list("abcdefgh"))

    def test_no_more_are_built_ahead_than_asked_for(self):
        seen = Recorder()
        third, go_on = seen.when("build", "c"), threading.Event()
        seen.waits["run", "a"] = go_on
        lanes = seen.lanes(at_once=1, ahead=1)
        thread = threading.Thread(target=lanes.carry_out, args=([Job(n) for n in "abcde"],), daemon=True)
        thread.start()
        self.assertTrue(third.wait(SECONDS))
        self.assertNotIn(("build", "d"), seen.order)  # b waits, c is in the builder's hand
        go_on.set()
        thread.join(SECONDS)
        self.assertEqual(len(seen.order), 10)

    def test_who_runs_alone_has_no_build_and_no_other_beside(self):
        seen = Recorder()
        seen.waits["run", "b"] = go_on = threading.Event()
        threading.Timer(0.1, go_on.set).start()  # there would be time for the others
        self.carry_out(seen.lanes(at_once=2), [Job("a"), Job("b", alone=True), Job("c"), Job("d", alone=True), Job("e")])
        self.assertEqual((seen.errors, len(seen.order)), ({}, 10))
        self.assertFalse(seen.beside.get(("run", "b")))
        self.assertFalse(seen.beside.get(("run", "d")))

    def test_what_cannot_be_built_or_run_stops_no_other(self):
        seen = Recorder()
        seen.broken = {("build", "a"), ("run", "b")}
        self.carry_out(seen.lanes(), [Job(n) for n in "abc"])
        self.assertEqual({name: str(error) for name, error in seen.errors.items()}, {"a": "build of a", "b": "run of b"})
        self.assertNotIn(("run", "a"), seen.order)
        self.assertIn(("run", "c"), seen.order)

    def test_nothing_begins_after_a_stop(self):
        seen = Recorder()
        lanes = seen.lanes(at_once=1)
        began, go_on = seen.when("run", "a"), threading.Event()
        seen.waits["run", "a"] = go_on
        thread = threading.Thread(target=lanes.carry_out, args=([Job(n) for n in "abcdef"],), daemon=True)
        thread.start()
        self.assertTrue(began.wait(SECONDS))
        lanes.stop()
        go_on.set()
        thread.join(SECONDS)
        self.assertFalse(thread.is_alive())
        self.assertEqual([n for what, n in seen.order if what == "run"], ["a"])


class WhoWaitsToBeAlone(unittest.TestCase):
    def test_lets_nobody_begin_meanwhile(self):
        quiet, order = Quiet(), []

        def work(company, name):
            with company():
                order.append(name)
        with quiet.beside_others():
            alone = threading.Thread(target=work, args=(quiet.alone, "alone"), daemon=True)
            alone.start()
            wait_for("it waits to be alone", lambda: quiet.waiting, SECONDS, every=0.005)
            other = threading.Thread(target=work, args=(quiet.beside_others, "other"), daemon=True)
            other.start()
            other.join(0.2)  # it would be done at once
            self.assertEqual(order, [])
        for thread in (alone, other):
            thread.join(SECONDS)
        self.assertEqual(order, ["alone", "other"])


if __name__ == "__main__":
    unittest.main()
