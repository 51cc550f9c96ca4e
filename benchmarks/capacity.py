"""Write docs/capacity.md from the results of ``benchmarks.scale``.

    python -m benchmarks.scale --save benchmarks/scale/measured.json
    python -m benchmarks.capacity > docs/capacity.md

``Assumed`` holds the values that are not measured; the page lists them.
"""

from __future__ import annotations

import argparse
import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "scale" / "measured.json"
DAY = 86_400.0
GB, TB = 1e9, 1e12


HEAD = """# How much machinery an archive needs

`python -m benchmarks.capacity` writes this page from `benchmarks/scale/measured.json`, which
`python -m benchmarks.scale --save` writes. A rate by the clock depends on what else the machine
does. The load is given; where it is higher than the number of workers, other programs were running.
Seconds of processor time depend on it far less. The needs below are computed from them.
"""


@dataclass(frozen=True)
class Assumed:
    """Values that can be set by options: ``python -m benchmarks.capacity --help``."""

    pounds_per_core_hour: float = 0.03
    """Price of a rented core of a server without a GPU."""
    kept_busy: float = 0.85
    """Share of a core's time that is spent on photos."""
    camera_megabytes: float = 6.0
    """Size of an original from a camera of 12 to 24 megapixels."""
    schools: int = 60
    """Number of schools; the photos are spread evenly."""


@dataclass(frozen=True)
class Need:
    """Resources that a number of photos needs."""

    photos: int
    days: float
    """Time to process them."""
    core_days: float
    cores: float
    """Worker cores during this time."""
    server_cores: float
    """Cores of the PostgreSQL server during this time."""
    share_of_turn: float
    """Share of the time that one school's transactions take; at 1 the school is at its limit."""
    database_bytes: float
    originals_bytes: float
    made_bytes: float
    """Previews and published pictures."""
    pounds: float


def need(photos: int, days: float, measured: dict[str, Any], assumed: Assumed) -> Need:
    """Compute the resources from the measured costs of one photo."""
    row = measured["real"]["rows"][0]
    sizes = measured["real"]["bytes"]
    core_days = photos * row["worker_cpu"] / assumed.kept_busy / DAY
    rate = photos / days / DAY
    return Need(
        photos=photos,
        days=days,
        core_days=core_days,
        cores=core_days / days,
        server_cores=rate * row["server_cpu"],
        share_of_turn=rate / assumed.schools * measured["queue"]["turn"]["clock"],
        database_bytes=photos * sizes["rows"],
        originals_bytes=photos * assumed.camera_megabytes * 1e6,
        made_bytes=photos * (sizes["previews"] + sizes["approved"]),
        pounds=core_days * 24 * assumed.pounds_per_core_hour,
    )


def page(measured: dict[str, Any], assumed: Assumed) -> str:
    """The content of docs/capacity.md."""
    parts = (HEAD, _real(measured), _queue(measured), _trials(measured))
    return "\n".join([*parts, _needs(measured, assumed), _assumptions(measured, assumed)])


def _real(measured: dict[str, Any]) -> str:
    lines = [
        "## Real photos, 1, 2 and 4 worker processes",
        f"{measured['real']['machine']}. Photos of the made-up school. For each photo, one preview",
        "and every cleared rendition were made and proven.",
        "",
        "| worker processes | photos a minute | efficiency | worker CPU s a photo |"
        " PostgreSQL CPU s a photo | load |",
        "|---|---|---|---|---|---|",
    ]
    for row in measured["real"]["rows"]:
        lines.append(
            f"| {row['workers']} | {row['photos_a_minute']:.1f} | {row['efficiency']:.0%} |"
            f" {row['worker_cpu']:.2f} | {row['server_cpu']:.3f} | {row['load']:.1f} |"
        )
    return "\n".join([*lines, ""])


def _queue(measured: dict[str, Any]) -> str:
    queue = measured["queue"]
    most = max(row["a_second"] for row in queue["rows"])
    last = queue["rows"][-1]
    lines = [
        "## Where the database limits",
        f"{queue['machine']}. A sleep of {1000 * queue['sleep']:.0f} ms stands for the analysis.",
        "The queue, the vault, the decision and the audit trail are real. Server and workers share",
        "the machine.",
        "",
        "| workers | photos a second | of possible | worker CPU ms | PostgreSQL CPU ms | load |",
        "|---|---|---|---|---|---|",
    ]
    for row in queue["rows"]:
        possible = row["workers"] / queue["sleep"]
        lines.append(
            f"| {row['workers']} | {row['a_second']:.1f} | {row['a_second'] / possible:.0%} |"
            f" {1000 * row['worker_cpu']:.1f} | {1000 * row['server_cpu']:.1f} |"
            f" {row['load']:.1f} |"
        )
    hold = queue["turn"]["clock"]
    lines += [
        "",
        f"The most was {most:.0f} photos a second. Two limits follow from this:",
        "",
        f"- One core of PostgreSQL carries {1 / last['server_cpu']:.0f} photos a second.",
        f"- The transactions of one school take turns. Each takes {1000 * hold:.0f} ms by the clock"
        f" ({1000 * queue['turn']['processor']:.0f} ms of",
        f"  processor time). So one school makes at most {1 / hold:.0f} decisions a second,",
        "  however many machines it has. Schools do not wait for each other.",
        "",
    ]
    return "\n".join(lines)


def _trials(measured: dict[str, Any]) -> str:
    kill, hosts = measured.get("kill"), measured.get("hosts")
    lines = ["## Killed, and on several hosts"]
    if kill:
        lines += [
            kill_sentence(kill["line"]),
            "Every photo was there once: one decision, one audit entry, one release."
            if kill["passed"]
            else "THE TEST FAILED: a photo was lost or decided twice.",
        ]
    if hosts and hosts["possible"]:
        lines += [
            f"{hosts['hosts']} network namespaces, each with its own address and its own path to"
            f" the home, did all {hosts['photos']} photos."
        ]
    return "\n".join([*lines, ""])


def kill_sentence(summary: str) -> str:
    """Put the summary line of the test of killed machines into a sentence.

    Args:
        summary: ``N photos, killed: {'worker': 2, 'gate': 2, ...}``.

    Raises:
        ValueError: The line has another form.
    """
    photos, killed, counts = summary.partition(" photos, killed: ")
    if not killed:
        raise ValueError(f"no summary of killed programs: {summary!r}")
    numbers: dict[str, int] = ast.literal_eval(counts)
    names = {"worker": "workers", "gate": "the gate", "postgresql": "PostgreSQL"}
    times = [f"{names[name]} {_times(number)}" for name, number in numbers.items()]
    listed = " and ".join(filter(None, [", ".join(times[:-1]), times[-1]]))
    return f"While {photos} photos were taken in, SIGKILL ended {listed}, at random moments."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _needs(measured: dict[str, Any], assumed: Assumed) -> str:
    chosen = ((1_000_000, 7.0), (100_000_000, 30.0))
    needs = [need(photos, days, measured, assumed) for photos, days in chosen]
    rows = [
        ("to be done in", [f"{n.days:.0f} days" for n in needs]),
        ("worker core-days", [f"{n.core_days:,.1f}" for n in needs]),
        ("worker cores", [f"{n.cores:,.1f}" for n in needs]),
        ("machines of 16 cores", [f"{-(-n.cores // 16):,.0f}" for n in needs]),
        ("PostgreSQL cores", [f"{n.server_cores:,.2f}" for n in needs]),
        ("one school's turn, in use", [f"{n.share_of_turn:.0%}" for n in needs]),
        ("database", [f"{n.database_bytes / GB:,.0f} GB" for n in needs]),
        ("originals", [f"{n.originals_bytes / TB:,.1f} TB" for n in needs]),
        ("previews and pictures", [f"{n.made_bytes / TB:,.2f} TB" for n in needs]),
        ("processor, £", [f"{n.pounds:,.0f}" for n in needs]),
        ("processor, £ per million", [f"{1e6 * n.pounds / n.photos:,.0f}" for n in needs]),
    ]
    head = " | ".join(f"{n.photos:,} photos" for n in needs)
    lines = ["## What an archive needs", f"| | {head} |", "|---|" + "---|" * len(needs)]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows]
    return "\n".join([*lines, ""])


def _assumptions(measured: dict[str, Any], assumed: Assumed) -> str:
    sizes, most = measured["real"]["bytes"], 1 / measured["queue"]["turn"]["clock"]
    fetch = measured["queue"]["fetch"]
    waiting = ", ".join(f"{int(depth):,}" for depth in fetch)
    times = ", ".join(f"{1000 * seconds:.1f}" for seconds in fetch.values())
    return f"""## Assumed, not measured
- An hour of one core without a GPU costs £{assumed.pounds_per_core_hour}. The price of storage,
  traffic and the database server is not included.
- A core spends {assumed.kept_busy:.0%} of its time on photos.
- A core is as fast as one of the measured machine. Photos are like those of the made-up school,
  whose originals have {sizes["originals"] / 1e6:.1f} MB on average. Larger pictures with more faces
  cost more. Storage is computed with {assumed.camera_megabytes} MB for each original.
- The photos are spread evenly over {assumed.schools} schools. More than {most:.0f} a second at
  one school would need shorter transactions.
- Costs grow in proportion to the number of photos: no step depends on how many photos came before.
  Taking the next job among {waiting} takes {times} ms.
- The database's size was measured with {measured["real"]["photos"]} photos, each examined once. It
  counts rewritten rows and half-empty pages in full, so the real size is rather smaller.
- An archive that is only screened ([archives.md](archives.md)) keeps no originals and no previews.
"""


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=MEASURED)
    for name, field in Assumed.__dataclass_fields__.items():
        default = field.default
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    asked = vars(parser.parse_args())
    measured = json.loads(asked.pop("measured").read_text())
    print(page(measured, Assumed(**asked)), end="")


if __name__ == "__main__":
    main()
