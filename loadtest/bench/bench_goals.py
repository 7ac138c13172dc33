"""What was measured, held against what was promised. Pure: samples in, lines out."""
import statistics

GOALS = (  # name, group, of whom, figure, unit, of whose the ratio is, at least / at most, how much (of the ratio where there is one)
    ("email of 4 KB, end to end / smtp-source", "email-4k", "semel", "rate", "mails/s", "smtp-source", "least", 0.6),
    ("email of 8.5 KB, end to end / smtp-source", "email-8k", "semel", "rate", "mails/s", "smtp-source", "least", 0.6),
    ("CPU for a mail, without the sink", "email-4k", "semel", "cpu", "us", None, "most", 220),
    ("push end to end / pushy, both warm", "push", "semel", "rate", "pushes/s", "pushy", "least", 0.25),
    ("push gateway alone / pushy", "push", "semel gateway alone", "rate", "pushes/s", "pushy", "least", 1.2),
    ("SMS end to end / Kannel with its spool", "sms", "semel", "rate", "SMS/s", "kannel spool", "least", 4),
    ("import and both passes", "plan", "semel", "rate", "recipients/s", None, "least", 50_000),
    ("Redis: a leader", "email-4k", "semel", "Redis a leader", "bytes", None, "most", 40),
    ("Redis: a claim", "email-4k", "semel", "Redis a claim", "bytes", None, "most", 100),
    ("disk for a mail: Kafka", "email-4k", "semel", "disk Kafka", "bytes", None, "most", 295),
    ("disk for a mail: PostgreSQL", "email-4k", "semel", "disk PostgreSQL", "bytes", None, "most", 733),
    ("transaction of the email dispatcher", "email-4k", "semel", "transaction dispatcher", "ms", None, "most", 50),
    ("transaction of plan", "email-4k", "semel", "transaction plan", "ms", None, "most", 100),
    ("transaction of ledger", "email-4k", "semel", "transaction ledger", "ms", None, "most", 100),
    ("transaction of ledger, under push", "push", "semel", "transaction ledger", "ms", None, "most", 100),
    ("memory of the largest process", "memory", "semel", "rate", "MiB", None, "most", 256),
)
SERVERS = {"smtp-sink", "push server", "message centre", "nghttpd"}  # what is sent into: no part of a sender's CPU


def value(sample, figure):
    """None where it was not measured."""
    if figure == "rate":
        return sample.rate
    if figure == "cpu":
        return sum(sum(pair) for name, pair in sample.cpu.items() if name not in SERVERS and not name.startswith("("))
    return sample.more.get(figure)


def spread(values):
    return {"value": statistics.median(values), "low": min(values), "high": max(values), "rounds": len(values)}


def values_of(measured, group, who, figure):
    return [v for v in (value(s, figure) for s in measured.get(group, {}).get(who, [])) if v is not None]


def judged(measured):
    """`measured`: group -> who -> samples, one a round. A ratio is the median of the rounds' own: what else the machine did in
    a round befell both."""
    rows = []
    for name, group, who, figure, unit, beside, bound, wanted in GOALS:
        mine = values_of(measured, group, who, figure)
        if not mine:
            continue
        row = {"name": name, "unit": unit, **spread(mine), "ratio": None, "goal": f"at {bound} {wanted:g}", "reached": None}
        reckoned = row["value"]
        if beside:
            theirs = values_of(measured, group, beside, figure)
            row["ratio"] = reckoned = statistics.median(a / b for a, b in zip(mine, theirs)) if theirs else None
        if reckoned is not None:
            row["reached"] = reckoned >= wanted if bound == "least" else reckoned <= wanted
        rows.append(row)
    return rows


def plain(measured):
    """A line for the rate of everybody, and for the CPU of each of their processes."""
    rows = []
    for group, everybody in measured.items():
        first = next((values_of(measured, group, who, "rate") for who in everybody if who != "semel"), None)
        for who, samples in everybody.items():
            rates = values_of(measured, group, who, "rate")
            ratio = statistics.median(a / b for a, b in zip(rates, first)) if first else None
            rows.append({"name": f"{group}: {who}", "unit": "1/s", **spread(rates), "ratio": ratio, "goal": None, "reached": None})
            for process in sorted({name for s in samples for name in s.cpu}):
                each = [sum(s.cpu[process]) for s in samples if process in s.cpu]
                rows.append({"name": f"{group}: {who}: CPU of {process}", "unit": "us", **spread(each), "ratio": None, "goal": None,
                             "reached": None})
            for name in sorted({name for s in samples for name in s.cores}):
                rows.append({"name": f"{group}: {who}: cores: {name}", "unit": "share", **spread([s.cores[name] for s in samples]),
                             "ratio": None, "goal": None, "reached": None})
    return rows


def table(rows):
    """For people."""
    lines = [f"{'':44}{'median':>12}  {'low - high':>21}  {'unit':13}{'ratio':>7}  goal"]
    for row in rows:
        low_high = f"{number(row['low'])} - {number(row['high'])}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        how = {None: "not measured", True: "reached", False: "NOT reached"}[row["reached"]]
        end = "" if row["goal"] is None else f"{row['goal']}: {how}"
        lines.append(f"{row['name']:44}{number(row['value']):>12}  {low_high:>21}  {row['unit']:13}{ratio:>7}  {end}".rstrip())
    return "\n".join(lines)


def number(n):
    return f"{n:,.0f}" if abs(n) >= 100 else f"{n:.1f}" if abs(n) >= 1 else f"{n:.2f}"


def where_the_time_goes(group, who, samples):
    """The processes of one of them by their CPU for each message, and what the cores did meanwhile."""
    medians = {name: tuple(statistics.median(s.cpu.get(name, (0, 0))[i] for s in samples) for i in (0, 1))
               for name in {name for s in samples for name in s.cpu}}
    shown = [f"{name} {sum(pair):.0f} ({pair[0]:.0f} + {pair[1]:.0f})" for name, pair in sorted(medians.items(), key=lambda m: -sum(m[1]))
             if sum(pair) >= 0.5 or name.startswith("(")]
    cores = {name: statistics.median(s.cores[name] for s in samples) for name in samples[0].cores}
    return (f"{group}: {who}: us a message (own code + kernel): {', '.join(shown)}\n"
            f"    cores: {', '.join(f'{name} {share:.0%}' for name, share in cores.items() if share >= 0.005)}")
