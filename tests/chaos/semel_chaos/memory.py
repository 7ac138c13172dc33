"""How much memory processes of a stack hold, once a second."""
import os
import threading

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mib(pid):
    try:
        with open(f"/proc/{pid}/statm") as statm:
            return int(statm.read().split()[1]) * PAGE / (1 << 20)
    except (OSError, IndexError):
        return None


class Memory:
    def __init__(self, stack, names=()):
        """`names`: without any, all processes of Semel's own, as they come and go."""
        self.stack, self.names = stack, names
        self.most = {}  # process -> MiB, since `forget`
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(1):
            for name, now in self.now().items():
                self.most[name] = max(self.most.get(name, 0.0), now)

    def now(self):
        pids = {name: self.stack.pid(name) for name in self.names or self.stack.processes()}
        return {name: mib for name, pid in pids.items() if pid and (mib := resident_mib(pid)) is not None}

    def forget(self):
        self.most = self.now()

    def take(self):
        """What was the most so far; from here it is counted anew."""
        most = self.most
        self.forget()
        return most

    def close(self):
        self.ended.set()
        self.thread.join()
