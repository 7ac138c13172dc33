"""Whether every process goes on, and in the memory that it needs: one that goes round in a loop breaks no promise as long
as another fault ends it soon. Pure."""
from .facts import Breach

# Of one process. The largest of a whole run holds a quarter of it.
MOST_MIB = 1_024


def breaches(faults, memory):
    """`memory`: process -> the most that it held, in MiB."""
    for fault in faults:
        if fault.still and not any(meanwhile(other, *fault.still_us) for other in faults if other is not fault):
            seconds = (fault.still_us[1] - fault.still_us[0]) // 1_000_000
            yield Breach("S2", f"nothing was accepted on {', '.join(fault.still)} for {seconds} s after {fault.name} {fault.target}")
    for process, mib in sorted(memory.items()):
        if mib > MOST_MIB:
            yield Breach("S3", f"{process} held {mib:,.0f} MiB, more than {MOST_MIB:,}")


def meanwhile(fault, since_us, until_us):
    """Whether it was done, or went on, then: a channel that stands still may stand still for it."""
    return fault.time_us <= until_us and (fault.until_us == 0 or fault.until_us >= since_us)
