"""Builds one thing after the other, and runs what is built beside it: a few at once, and alone what must be alone."""
import queue
import threading
from contextlib import contextmanager


class Quiet:
    """Who may work beside others, and who works alone. Whoever waits to be alone lets nobody else begin."""

    def __init__(self):
        self.changed = threading.Condition()
        self.at_work = self.waiting = 0
        self.taken = False

    @contextmanager
    def beside_others(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.taken and not self.waiting)
            self.at_work += 1
        try:
            yield
        finally:
            with self.changed:
                self.at_work -= 1
                self.changed.notify_all()

    @contextmanager
    def alone(self):
        with self.changed:
            self.waiting += 1
            self.changed.wait_for(lambda: not self.taken and not self.at_work)
            self.waiting -= 1
            self.taken = True
        try:
            yield
        finally:
            with self.changed:
                self.taken = False
                self.changed.notify_all()


class Lanes:
    """`build(job)`, in the jobs' order, and `run(job)` of those that are built, up to `at_once` of them at a time and no
    more than `ahead` built and waiting. A job with `alone` has no build and no other job beside it. What a step raises
    is given to `failed(job, error)`; the other jobs go on."""

    def __init__(self, build, run, failed, at_once=2, ahead=2):
        self.build, self.run, self.failed = build, run, failed
        self.ready = queue.Queue(ahead)
        self.at_once = at_once
        self.quiet = Quiet()
        self.stopping = threading.Event()

    def carry_out(self, jobs):
        lanes = [threading.Thread(target=self.lane) for _ in range(self.at_once)]
        builder = threading.Thread(target=self.build_all, args=(list(jobs),))
        for thread in (builder, *lanes):
            thread.start()
        for thread in (builder, *lanes):
            thread.join()

    def stop(self):
        """No step begins any more."""
        self.stopping.set()

    def build_all(self, jobs):
        for job in jobs:
            if self.attempt(job, self.build, self.quiet.beside_others):
                self.ready.put(job)
        for _ in range(self.at_once):
            self.ready.put(None)

    def lane(self):
        while (job := self.ready.get()) is not None:
            self.attempt(job, self.run, self.quiet.alone if job.alone else self.quiet.beside_others)

    def attempt(self, job, step, company):
        with company():
            if self.stopping.is_set():
                return False
            try:
                step(job)
                return True
            except Exception as error:  # whatever it is, it belongs to this job, and the others are still to be seen
                self.failed(job, error)
                return False
