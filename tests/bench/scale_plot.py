"""Plots the results of scale.py as SVG: the cost of one device against the number of devices, with
logarithmic axes.
"""

import math

PANELS = (  # key, title
    ("kb", "memory of a device, KB"),
    ("connect_us", "a connect, µs of CPU"),
    ("message_us", "a message, µs of CPU"),
)
LINES = (  # transport, name, colour, and the position of the legend
    ("plain", "plain TCP", "#1f77b4", 18),
    ("tls", "TLS 1.3", "#d62728", -9),
)
WIDTH, HEIGHT = 300, 260  # inner size of a panel
LEFT, TOP, GAP, BELOW = 50, 40, 60, 70
STYLE = "font-family: sans-serif; font-size: 12px"


def powers(values):
    """Returns the exponents of the powers of ten that enclose the values."""
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


class Panel:
    def __init__(self, left, key, rows):
        self.left, self.key = left, key
        self.x_range = powers([r["devices"] for r in rows])
        # All panels have the same range.
        self.y_range = powers([r[k] for r in rows for k, _ in PANELS])

    def x(self, value):
        low, high = self.x_range
        return self.left + (math.log10(value) - low) / max(high - low, 1) * WIDTH

    def y(self, value):
        low, high = self.y_range
        return TOP + HEIGHT - (math.log10(value) - low) / max(high - low, 1) * HEIGHT


def text(x, y, anchor, what, colour="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{what}</text>'


def line(x1, y1, x2, y2, colour):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def grid(panel, title):
    out = [text(panel.left + WIDTH / 2, TOP - 14, "middle", title),
           text(panel.left + WIDTH / 2, TOP + HEIGHT + 38, "middle", "devices in the process")]
    for exponent in range(panel.x_range[0], panel.x_range[1] + 1):
        x = panel.x(10**exponent)
        out += [line(x, TOP, x, TOP + HEIGHT, "#ddd"),
                text(x, TOP + HEIGHT + 18, "middle", f"{10**exponent:,}")]
    for exponent in range(panel.y_range[0], panel.y_range[1] + 1):
        for step in range(1, 10 if exponent < panel.y_range[1] else 2):
            y = panel.y(step * 10**exponent)
            out.append(line(panel.left, y, panel.left + WIDTH, y, "#ccc" if step == 1 else "#eee"))
            if step in (1, 2, 5):
                out.append(text(panel.left - 6, y + 4, "end", f"{step * 10**exponent:g}"))
    return out


def curve(panel, rows, colour, offset):
    points = [(panel.x(r["devices"]), panel.y(r[panel.key]), r[panel.key]) for r in rows]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    out = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for x, y, value in points:
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>',
                text(x, y + offset, "start" if x == panel.left else "middle", f"{value:.3g}",
                     colour)]
    return out


def draw(rows):
    """`rows` are dicts with transport, devices and the keys of PANELS."""
    width = LEFT + len(PANELS) * (WIDTH + GAP)
    height = TOP + HEIGHT + BELOW
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" style="{STYLE}">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for number, (key, title) in enumerate(PANELS):
        panel = Panel(LEFT + number * (WIDTH + GAP), key, rows)
        out += grid(panel, title)
        for transport, _, colour, offset in LINES:
            mine = [r for r in rows if r["transport"] == transport]
            out += curve(panel, mine, colour, offset) if mine else []
    for number, (_, name, colour, _) in enumerate(LINES):
        x = LEFT + number * 120
        out += [f'<circle cx="{x}" cy="{height - 14}" r="4" fill="{colour}"/>',
                text(x + 10, height - 10, "start", name, colour)]
    return "\n".join([*out, "</svg>", ""])
