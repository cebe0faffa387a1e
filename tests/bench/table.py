"""Makes Markdown tables of the results of bench.py, with a row for each job and a column for each peer."""

# The pairs of columns that are compared.
RATIOS = (
    ("engine", "limit"),
    ("libmosquitto", "engine"),
    ("Paho C", "engine"),
    ("libmosquitto", "client"),
    ("libmosquitto, thread", "client, runner"),
    ("Paho C", "client, runner"),
)
TITLES = {
    "plain": "plain TCP",
    "tls": "TLS 1.3, AES-128-GCM as at a hub",
    "websocket": "WebSocket over TLS 1.3, AES-128-GCM",
}

# Each metric has a name, a title, the number of digits, and a flag for a second table with ratios.
METRICS = (
    ("cpu_ns", "CPU time per message, ns", 0, True),
    ("per_s", "messages a second", 0, False),
    ("instructions", "instructions per message, user space", 0, True),
    ("calls", "system calls per message", 3, False),
    ("allocations", "heap allocations per message", 2, False),
    ("median_ns", "latency of one message at a time, median, ns", 0, True),
    ("p99_ns", "latency of one message at a time, 99 %, ns", 0, False),
    ("bytes", "memory of an idle connection, bytes", 0, False),
    ("broker_share", "share of one CPU that the null broker used", 2, False),
)


def aligned(rows):
    """Makes each column as wide as its widest cell."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return lines


def figures(values, jobs, peers, digits):
    rows = [["", *peers]]
    for job in jobs:
        cells = (values.get((job, p)) for p in peers)
        rows.append([job, *("" if c is None else f"{c:.{digits}f}" for c in cells)])
    return rows


def ratios(values, jobs, peers):
    pairs = [(a, b) for a, b in RATIOS if a in peers and b in peers]
    rows = [["times as much", *(f"{a} / {b}" for a, b in pairs)]]
    for job in jobs:
        cells = [(values.get((job, a)), values.get((job, b))) for a, b in pairs]
        both = [a is not None and b is not None and b >= 1 for a, b in cells]
        rows.append([job, *(f"{a / b:.1f}" if ok else "" for (a, b), ok in zip(cells, both))])
    return rows if pairs else []


# The README shows these metrics and jobs for each transport.
SHOWN_METRICS = {"plain": ("cpu_ns", "instructions"), "tls": ("cpu_ns", "instructions"),
                 "websocket": ("cpu_ns", "instructions")}
SHOWN_JOBS = ("publish QoS 0", "publish QoS 1, window 100", "window 100, answered one by one",
              "window 20, 4 KB", "receive QoS 1", "latency QoS 1")


def metric_lines(results, metric, title, digits, compare):
    """Returns the tables of one transport, or none if it was not measured."""
    found = [r for r in results if metric in r]
    peers = list(dict.fromkeys(r["peer"] for r in found))
    jobs = list(dict.fromkeys(r["job"] for r in found))
    values = {(r["job"], r["peer"]): r[metric] for r in found}
    if not found:
        return []
    lines = [f"### {title}", "", *aligned(figures(values, jobs, peers, digits)), ""]
    if compare and (rows := ratios(values, jobs, peers)):
        lines += [*aligned(rows), ""]
    return lines


def tables(results):
    """Returns all tables, for the terminal."""
    lines = []
    for transport in dict.fromkeys(r["transport"] for r in results):
        of_transport = [r for r in results if r["transport"] == transport]
        for metric, title, digits, compare in METRICS:
            title = f"{title}: {TITLES[transport]}"
            lines += metric_lines(of_transport, metric, title, digits, compare)
    return "\n".join(lines)


def summary(results):
    """Returns the tables for the README."""
    lines = []
    for transport, shown in SHOWN_METRICS.items():
        rows = [r for r in results if r["transport"] == transport and r["job"] in SHOWN_JOBS]
        for metric, title, digits, _ in METRICS:
            if metric in shown:
                title_here = f"{title}: {TITLES[transport]}"
                lines += metric_lines(rows, metric, title_here, digits, False)
    return "\n".join(lines)


def put_between(path, script, text):
    """Replaces the text between the marks of a script in a file."""
    begin, end = f"<!-- {script} writes the following lines -->\n", "<!-- end of these lines -->\n"
    with open(path, encoding="utf-8") as file:
        head, _, rest = file.read().partition(begin)
    tail = rest.partition(end)[2]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{begin}\n{text}\n{end}{tail}")
