"""The result of a count: the numbers, the domain, and what they depend on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.digests import digest_of
from creases.domain import Domain, domain_from_dict
from creases.errors import ModelFileError
from creases.files import replace_file
from creases.notebooks import panel, table
from creases.version import __version__

if TYPE_CHECKING:
    from creases.engine.answers.tally import Tally
    from creases.network import Network

__all__ = ["Count", "has_its_digest"]


@dataclass(frozen=True, repr=False)
class Count:
    """The number of activation regions of a network on a domain, as `creases.count` returns it. Immutable.

    regions : int, activation regions of the network on the domain; on a Polyline or a Circle, pieces along the path.
    by_layer : tuple of int, regions after each layer, that is after each level with neurons or switches
        (`network.layer_names`); the last one is `regions`.
    certified : True only if every sign on which the result depends was proved.
    unproved_signs : number of signs that were not proved but taken from an approximation of the network; None for a
        count in pieces, which does not record it.
    exact_cells : number of cells for which rational arithmetic was needed to decide a sign.
    seconds : wall time of the count in seconds; for a resumed count, of its last run.
    domain : the domain.
    network : sha256 of the network, in hexadecimal.
    bounded, unbounded : numbers of bounded and unbounded regions on whole lines, planes and spaces; else None.
    by_neuron : with `by_neuron=True`, one tuple of int per layer; else None. For a neuron it is the number of regions
        of the layers below whose interior meets the neuron's zero set; for a switch, the number of those on which more
        than one candidate wins. It does not depend on the order of cuts. A clip is two neurons.
    distinct : on a Polyline or a Circle, the number of different regions that the path meets; else None.
    version : version of Creases that made the count.
    pieces : number of independent pieces of a count by `count_in_pieces`.
    seconds_from_journal : seconds spent in earlier runs on the pieces that this run read from its journal, summed over
        pieces, one thread each; not part of `seconds`.
    notes : tuple of str, what was assumed or rounded when the network was read; the count is of that network.
    """

    regions: int
    by_layer: tuple[int, ...]
    certified: bool
    exact_cells: int
    seconds: float
    domain: Domain
    network: str
    bounded: int | None = None
    unbounded: int | None = None
    by_neuron: tuple[tuple[int, ...], ...] | None = None
    distinct: int | None = None
    version: str = __version__
    pieces: int = 1
    seconds_from_journal: float = 0.0
    notes: tuple[str, ...] = ()
    unproved_signs: int | None = 0

    @classmethod
    def of_tally(cls, network: Network, domain: Domain, tally: Tally, seconds: float, **more: Any) -> Count:
        """The Count of the engine's `tally` of a network on a domain.

        seconds : wall time. more : further fields of the Count.
        """
        regions = tally.by_layer[-1] if tally.by_layer else 1
        return cls(
            regions=regions,
            by_layer=tuple(tally.by_layer),
            certified=tally.certified,
            unproved_signs=tally.unproved_signs,
            exact_cells=tally.exact_cells,
            seconds=seconds,
            domain=domain,
            network=network.sha256,
            bounded=None if tally.unbounded is None else regions - tally.unbounded,
            unbounded=tally.unbounded,
            notes=network.notes,
            **more,
        )

    @property
    def per_volume(self) -> float | None:
        """Regions per unit of length, area or volume of input space, a float; None on an infinite domain."""
        from creases.domain.volume import volume_of

        volume = volume_of(self.domain)
        return None if volume is None else self.regions / volume

    def __repr__(self) -> str:
        before = self.seconds_from_journal
        layers = ", ".join(str(value) for value in self.by_layer)
        parts = [f"{self.regions:,} regions", f"by_layer=({layers})"]
        if self.unbounded is not None:
            parts.append(f"{self.bounded:,} bounded + {self.unbounded:,} unbounded")
        if self.distinct is not None:
            parts.append(f"{self.distinct:,} distinct")
        if self.pieces > 1:
            parts.append(f"in {self.pieces:,} pieces")
        parts += [
            "certified" if self.certified else "NOT certified",
            *([f"unproved_signs={self.unproved_signs:,}"] if self.unproved_signs else []),
            f"exact_cells={self.exact_cells:,}",
            f"{self.seconds:.3g} s" + (f" + {before:.3g} s from the journal" if before else ""),
            repr(self.domain),
            f"network={self.network[:12]}",
            *([f"notes={len(self.notes)}"] if self.notes else []),
        ]
        return f"Count({', '.join(parts)})"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [("after each layer", ", ".join(f"{value:,}" for value in self.by_layer))]
        if self.unbounded is not None:
            rows.append(("of these", f"{self.bounded:,} bounded, {self.unbounded:,} unbounded"))
        if self.distinct is not None:
            rows.append(("different regions", f"{self.distinct:,}"))
        if self.pieces > 1:
            rows.append(("counted in", f"{self.pieces:,} pieces"))
        rows.append(("certified", "yes, every sign is proved" if self.certified else "NO"))
        if self.unproved_signs:
            rows.append(("unproved signs", f"{self.unproved_signs:,}"))
        rows += [
            ("decided in rationals", f"{self.exact_cells:,} cells"),
            ("domain", repr(self.domain)),
            ("network", self.network[:12]),
            ("time", f"{self.seconds:.3g} s"),
            *(("note", note) for note in self.notes),
        ]
        what = "pieces along the path" if self.distinct is not None else "activation regions"
        return panel(f"{self.regions:,} {what}", table(rows))

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain numbers and lists, for JSON, with a digest; `Count.from_dict` is the inverse."""
        fields = {
            "regions": self.regions,
            "by_layer": list(self.by_layer),
            "certified": self.certified,
            "unproved_signs": self.unproved_signs,
            "exact_cells": self.exact_cells,
            "seconds": self.seconds,
            "domain": self.domain.to_dict(),
            "network": self.network,
            "bounded": self.bounded,
            "unbounded": self.unbounded,
            "by_neuron": None if self.by_neuron is None else [list(row) for row in self.by_neuron],
            "distinct": self.distinct,
            "version": self.version,
            "pieces": self.pieces,
            "seconds_from_journal": self.seconds_from_journal,
            "per_volume": self.per_volume,
            "notes": list(self.notes),
        }
        return {**fields, "digest": digest_of(fields)}

    def to_json(self, path: str | Path | None = None) -> str:
        """The count as JSON text; also written to `path` if given, completely or not at all.

        Raises SaveError if it cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=2)
        if path is not None:
            replace_file(Path(path), lambda partial: partial.write_text(text + "\n", encoding="utf-8"))
        return text

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Count:
        """The count from the output of `to_dict`.

        Raises ModelFileError if the digest does not match, that is if a field was changed after `to_dict`.
        """
        if not has_its_digest(data):
            what = "does not agree with its digest: it is not as it was saved" if "digest" in data else "has no digest"
            raise ModelFileError(
                f"This count {what}, so its numbers prove nothing. Count again, or have them decided anew: "
                "creases audit RESULT.json MODEL."
            )
        return cls.from_fields(data)

    @classmethod
    def from_fields(cls, data: dict[str, Any]) -> Count:
        """`from_dict` without checking the digest, for audits, which check every number themselves."""
        by_neuron = data["by_neuron"]
        data = {key: value for key, value in data.items() if key not in ("per_volume", "digest")}
        return cls(
            **{
                **data,
                "by_layer": tuple(data["by_layer"]),
                "domain": domain_from_dict(data["domain"]),
                "by_neuron": None if by_neuron is None else tuple(tuple(row) for row in by_neuron),
                "notes": tuple(str(note) for note in data.get("notes", ())),  # older files have none
            }
        )


def has_its_digest(data: dict[str, Any]) -> bool:
    """Whether the output of `Count.to_dict` is unchanged."""
    return bool(data.get("digest") == digest_of({key: value for key, value in data.items() if key != "digest"}))
