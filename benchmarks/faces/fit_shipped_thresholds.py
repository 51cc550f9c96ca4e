"""Fit the shipped thresholds on one half of the test photos in faces/ and write them.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.faces.fit_shipped_thresholds

The program follows the rules of docs/adr/0004 ("How the shipped figures are chosen") without any
manual choice. It prints the tables that the rules use and writes
consent_gate/matching/shipped_thresholds.json. ``benchmarks.faces.recognition`` reports on the other
half.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import (
    AS_PORTRAIT,
    REPOSITORY,
    Measured,
    measured,
    samples,
    shared_data,
)
from benchmarks.faces.fit_floors import chosen_floors, met_again, print_bins, print_conditions
from benchmarks.machine import heading
from consent_gate.matching.calibration import refit
from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Template,
    fused_by_pupil,
    fused_scores,
    gallery_of,
)
from consent_gate.matching.statistics import fit_tail
from consent_gate.matching.thresholds import QualityThresholds, Thresholds
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder

VERSIONS = {SFACE: SFaceEmbedder.version, DLIB: DlibEmbedder.version}
PROMISE = 0.001
"""Share of unknown faces that may be matched to an enrolled pupil (docs/adr/0004)."""
SCHOOL = 250
"""Number of pupils for which the thresholds are compared."""

WRONG_PAIRS = tuple(10 ** -(5 - step / 9) for step in range(10))
"""Shares of wrong pairs, 1e-5 to 1e-4, at which dlib's weights are compared."""
WEIGHTS = (0.0, 0.05, 0.1, 0.125, 0.15, 0.2, 0.3)
MARGINS = tuple(step / 50 for step in range(11))
"""0 to 0.2 in steps of 0.02; docs/adr/0004, rule 3."""

PICTURES_EACH = (1, 2, 3)
"""Numbers of enrolment pictures a member that are compared."""

_NOT_YET = QualityThresholds(0, 0.0, float("inf"), 0.0, 0.0, 0.0)


def main() -> None:
    """Fit, print, write."""
    print(heading("The shipped thresholds, on the fit half of the test photos in faces/"))
    fit_half = [sample for sample in samples(shared_data()) if sample.fit]
    seen = [face for face in measured(fit_half, AS_PORTRAIT) if face.vectors is not None]
    gallery = gallery_of(as_templates(seen))
    print(f"{len(fit_half)} pictures, {len(seen)} enrollable, of {len(gallery.pupils)} people")
    fitted = _chosen_weight(gallery)
    assured = _assured(seen, gallery, fitted)
    thresholds = replace(
        assured,
        margin=_chosen_margin(seen, assured),
        fitted_on=f"{len(seen)} public photos of {len(gallery.pupils)} adults, shipped values",
    )
    met = met_again(fit_half, gallery, thresholds)
    print_conditions(met, thresholds, SCHOOL)
    print_bins(met, thresholds, SCHOOL)
    thresholds = replace(thresholds, floors=chosen_floors(met, seen, thresholds, SCHOOL))
    target = REPOSITORY / "consent_gate" / "matching" / "shipped_thresholds.json"
    target.write_text(thresholds.to_json() + "\n", encoding="utf-8")
    _print_result(fitted, thresholds)
    _print_pictures_each(seen, thresholds)


def as_templates(faces: Sequence[Measured]) -> list[Template]:
    """A template of every face, under the person's own name."""
    return [Template(face.sample.person, face.vectors, VERSIONS) for face in faces if face.vectors]


def _chosen_weight(gallery: Gallery) -> Thresholds:
    """Rule 1: dlib's share, with tails as fitted to all pairs, shape included."""
    start = _starting_point(gallery)
    print("\nshare of dlib   one person's pairs: mean at 1e-5   at 1e-4   tail shape    line")
    best, most = start, -1.0
    for weight in WEIGHTS:
        tried = _with_weight(gallery, start, weight)
        different, same = _split(gallery, tried)
        lines = np.quantile(different, 1 - np.array(WRONG_PAIRS))
        found = [float((same >= line).mean()) for line in lines]
        mean = float(np.mean(found))
        print(
            f"{weight:13.3f}   {mean:24.4f}   {found[0]:.4f}    {found[-1]:.4f}   "
            f"{tried.fused_tail.shape:10.3f}   {tried.accept_fused(SCHOOL):.3f}"
        )
        if mean > most:
            best, most = tried, mean
    return best


def _assured(seen: Sequence[Measured], gallery: Gallery, fitted: Thresholds) -> Thresholds:
    """Rule 2: of everybody with one picture, and with all of theirs, the tail with the higher line;
    for both models and for SFace alone."""
    first = {face.sample.person: face for face in reversed(seen)}
    one_each = refit(gallery_of(as_templates(list(first.values()))), fitted, pupils=SCHOOL)
    all_theirs = refit(gallery, fitted, pupils=SCHOOL)
    print("\nenrolled with   line   SFace alone")
    for words, tried in (("one picture", one_each), ("all pictures", all_theirs)):
        print(f"{words:13s}  {tried.accept_fused(SCHOOL):.4f}   {tried.accept_sface(SCHOOL):.4f}")
    either = (one_each, all_theirs)
    return replace(
        fitted,
        fused_tail=max(either, key=lambda tried: tried.accept_fused(SCHOOL)).fused_tail,
        sface_tail=max(either, key=lambda tried: tried.accept_sface(SCHOOL)).sface_tail,
    )


def _chosen_margin(seen: Sequence[Measured], thresholds: Thresholds) -> float:
    """Rule 3: the largest margin that loses no member above the threshold."""
    first = {face.sample.person: face for face in reversed(seen)}
    gallery = gallery_of(as_templates(list(first.values())))
    again = [face for face in seen if face is not first[face.sample.person]]
    probes = {m: np.stack([f.vectors[m] for f in again if f.vectors]) for m in (SFACE, DLIB)}
    scores = fused_scores(probes, gallery.vectors, thresholds)
    people = np.array([gallery.pupils.index(face.sample.person) for face in again])
    rows = np.arange(len(again))
    own = scores[rows, people]
    scores[rows, people] = -1.0
    others = np.sort(scores, axis=1)
    line = thresholds.accept_fused(SCHOOL)
    over = own >= line
    near = others[:, -1] >= line - 0.1
    print(f"\n{over.sum()} of {len(again)} members' faces reach {line:.3f}, one template each")
    print("margin   of these, lost   of strangers near the line, still in the lead")
    lost = {margin: int((own - others[:, -1] < margin)[over].sum()) for margin in MARGINS}
    for margin in MARGINS:
        led = (others[:, -1] - others[:, -2] >= margin)[near].sum()
        print(f"{margin:6.2f}   {lost[margin]:14d}   {led} of {near.sum()}")
    return max((margin for margin in MARGINS if lost[margin] == 0), default=0.0)


def _starting_point(gallery: Gallery) -> Thresholds:
    """Centre and offset from everybody; the rest is chosen later."""
    first, second = np.triu_indices(gallery.template_count, 1)
    different = gallery.owners[first] != gallery.owners[second]
    dlib = (gallery.vectors[DLIB] @ gallery.vectors[DLIB].T)[first, second]
    nothing = fit_tail(np.linspace(0, 1, 1000))
    return Thresholds(
        versions=VERSIONS,
        sface_centre=tuple(round(float(x), 5) for x in gallery.vectors[SFACE].mean(axis=0)),
        dlib_offset=round(float(dlib[different].mean()), 4),
        dlib_weight=0.0,
        fused_tail=nothing,
        sface_tail=nothing,
        margin=0.0,
        false_accept_rate=PROMISE,
        floors=_NOT_YET,
        fitted_on="",
    )


def _with_weight(gallery: Gallery, start: Thresholds, weight: float) -> Thresholds:
    alone = replace(start, dlib_weight=0.0)
    fused = replace(start, dlib_weight=weight)
    return replace(
        fused,
        sface_tail=fit_tail(_split(gallery, alone)[0]),
        fused_tail=fit_tail(_split(gallery, fused)[0]),
    )


def _split(
    gallery: Gallery, thresholds: Thresholds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fused scores of different people and of one person's pictures, each pair once."""
    first, second = np.triu_indices(gallery.template_count, 1)
    scores = fused_scores(gallery.vectors, gallery.vectors, thresholds)[first, second]
    same = gallery.owners[first] == gallery.owners[second]
    return scores[~same].astype(np.float64), scores[same].astype(np.float64)


def _print_result(fitted: Thresholds, chosen: Thresholds) -> None:
    print(f"\ndlib {chosen.dlib_weight}, margin {chosen.margin}, {chosen.floors}")
    print(f"{chosen.fused_tail}")
    print("   pupils   line without assurance   line shipped   SFace alone")
    for pupils in (50, 250, 700, 2000, 25_000):
        print(
            f"{pupils:9d}   {fitted.accept_fused(pupils):22.3f}   "
            f"{chosen.accept_fused(pupils):12.3f}   {chosen.accept_sface(pupils):11.3f}"
        )


def _print_pictures_each(seen: Sequence[Measured], thresholds: Thresholds) -> None:
    """Whether pupils with several enrolment pictures need a line of their own: chooses nothing."""
    by_person: dict[str, list[Measured]] = defaultdict(list)
    for face in seen:
        by_person[face.sample.person].append(face)
    line = thresholds.accept_fused(SCHOOL)
    print(f"\npictures a member   read at {PROMISE / SCHOOL:.0e}   members over {line:.3f}")
    for pictures in PICTURES_EACH:
        members = {name: v for name, v in by_person.items() if len(v) > max(PICTURES_EACH)}
        gallery = gallery_of(as_templates([f for v in members.values() for f in v[:pictures]]))
        probes = {m: np.stack([f.vectors[m] for f in seen if f.vectors]) for m in (SFACE, DLIB)}
        scores = fused_by_pupil(probes, gallery, thresholds).astype(np.float64)
        names = np.array([face.sample.person for face in seen])
        same = names[:, None] == np.array(gallery.pupils)[None, :]
        tail = fit_tail(scores[~same], shape=thresholds.fused_tail.shape)
        again = {id(f) for v in members.values() for f in v[max(PICTURES_EACH) :]}
        met = np.array([id(face) in again for face in seen])[:, None] & same
        print(
            f"{pictures:17d}   {tail.score_at(PROMISE / SCHOOL):13.3f}   "
            f"{(scores[met] >= line).mean():8.1%} of {met.sum()}, of {len(members)} people"
        )


if __name__ == "__main__":
    main()
