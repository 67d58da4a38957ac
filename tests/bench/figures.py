# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures: one line each, `name ratio goal`, with the spread and how many runs it comes from.

What is compared runs by turns (A B A B …) in one process, so each round gives one ratio of neighbours
in time; the figure is the median of these ratios, the spread their quartiles. Nothing here fails: a
goal that is missed is said to be missed, and `end` says how many were.
"""

import os
import statistics

WIDTH = 44


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def ms(nanoseconds):
    return f"{nanoseconds / 1e6:.3g} ms"


def number(value):
    """Three digits that count, without an exponent."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


class Figures:
    def __init__(self):
        self.count = self.goals = 0
        self.missed = []

    def head(self, title):
        print(f"\n{title}  (load {os.getloadavg()[0]:.1f})", flush=True)

    def note(self, text):
        print(f"  # {text}", flush=True)

    def put(self, name, values, goal=None, least=False, unit="", note=""):
        """One figure from the values of the rounds. `goal` is the most it may be, or the least."""
        low, middle, high = quartiles(values)
        missed = goal is not None and (middle < goal if least else middle > goal)
        sign = "≥" if least else "≤"
        aim = f"{sign} {number(goal)}{unit}" if goal is not None else "-"
        spread = f"{number(low)}–{number(high)}, n={len(values)}" if len(values) > 1 else "n=1"
        print(f"{name:<{WIDTH}} {number(middle) + unit:>10}  {aim:<10} "
              f"{'MISSED  ' if missed else ''}({spread}){'  ' + note if note else ''}", flush=True)
        self.count += 1
        self.goals += goal is not None
        if missed:
            self.missed.append(name)
        return middle

    def ratio(self, name, ours, others, goal=None, least=False, show=ms):
        """ours ÷ others, round by round."""
        note = f"{show(statistics.median(ours))} ÷ {show(statistics.median(others))}"
        return self.put(name, [a / b for a, b in zip(ours, others, strict=True)], goal, least,
                        note=note)

    def end(self):
        print(f"\n{self.count} figures, {self.goals} with a goal, {len(self.missed)} missed"
              f"{': ' if self.missed else ''}{', '.join(self.missed)}", flush=True)


def by_turns(rounds, **measures):
    """{name: values} of functions called by turns, the order turned round every other time. A first
    round warms up and is not counted."""
    results = {name: [] for name in measures}
    for i in range(rounds + 1):
        names = list(measures) if i % 2 else list(reversed(measures))
        for name in names:
            value = measures[name]()
            if i:
                results[name].append(value)
    return results
