"""The papers behind a result, and the part of it that each is about, as text and as BibTeX (written by us)."""

from __future__ import annotations

from dataclasses import dataclass

from creases.version import __version__

__all__ = ["REFERENCES", "Reference"]


@dataclass(frozen=True)
class Reference:
    """One work, and the part of a result that is based on it.

    key : the BibTeX key. kind : the BibTeX entry type. behind : the part of a result that is based on it, a phrase.
    authors : "Family, Given" in order. details : further BibTeX fields and their values.
    """

    key: str
    kind: str
    behind: str
    authors: tuple[str, ...]
    title: str
    year: int
    details: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """The work in one line."""
        names = [" ".join(reversed(name.strip("{}").split(", "))) for name in self.authors]
        written = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        places = [
            {"eprint": f"arXiv:{value}", "version": f"version {value}"}.get(name, value)
            for name, value in self.details
            if name not in ("archiveprefix", "series")
        ]
        return f"{written}. {self.title}. {', '.join([*places, str(self.year)])}."

    def bibtex(self) -> str:
        """The work as a BibTeX entry."""
        fields = [("author", " and ".join(self.authors)), ("title", f"{{{self.title}}}"), *self.details]
        lines = [f"  {name} = {{{value}}}," for name, value in [*fields, ("year", str(self.year))]]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def arxiv(number: str) -> tuple[tuple[str, str], ...]:
    """The fields of a preprint."""
    return (("eprint", number), ("archiveprefix", "arXiv"))


REFERENCES = (
    Reference(
        "creases",
        "software",
        "the program that made the result",
        ("{The Creases developers}",),
        "Creases: exact, proven counts of the pieces into which a ReLU network folds its inputs",
        2026,
        (("version", __version__),),
    ),
    Reference(
        "hanin2019surprisingly",
        "inproceedings",
        "activation regions, the N^2/2 of a plane, counting in planes through training",
        ("Hanin, Boris", "Rolnick, David"),
        "Deep ReLU Networks Have Surprisingly Few Activation Patterns",
        2019,
        (("booktitle", "Advances in Neural Information Processing Systems 32"), *arxiv("1906.00904")),
    ),
    Reference(
        "hanin2019complexity",
        "inproceedings",
        "regions on lines, distance to their boundaries",
        ("Hanin, Boris", "Rolnick, David"),
        "Complexity of Linear Regions in Deep Networks",
        2019,
        (
            ("booktitle", "Proceedings of the 36th International Conference on Machine Learning"),
            *arxiv("1901.09021"),
        ),
    ),
    Reference(
        "zaslavsky1975facing",
        "book",
        "the exact count of one generic layer",
        ("Zaslavsky, Thomas",),
        "Facing up to Arrangements: Face-Count Formulas for Partitions of Space by Hyperplanes",
        1975,
        (("publisher", "American Mathematical Society"), ("series", "Memoirs of the AMS 154")),
    ),
    Reference(
        "serra2018bounding",
        "inproceedings",
        "the most regions that the layers allow",
        ("Serra, Thiago", "Tjandraatmadja, Christian", "Ramalingam, Srikumar"),
        "Bounding and Counting Linear Regions of Deep Neural Networks",
        2018,
        (
            ("booktitle", "Proceedings of the 35th International Conference on Machine Learning"),
            *arxiv("1711.02114"),
        ),
    ),
    Reference(
        "he2015delving",
        "inproceedings",
        "the initialization of the networks that the demo trains",
        ("He, Kaiming", "Zhang, Xiangyu", "Ren, Shaoqing", "Sun, Jian"),
        "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification",
        2015,
        (
            ("booktitle", "IEEE International Conference on Computer Vision"),
            *arxiv("1502.01852"),
        ),
    ),
    Reference(
        "alpaydin1998digits",
        "misc",
        "the handwritten digits of the demo, as scikit-learn carries them",
        ("Alpaydin, Ethem", "Kaynak, Cenk"),
        "Optical Recognition of Handwritten Digits",
        1998,
        (("howpublished", "UCI Machine Learning Repository"),),
    ),
)
