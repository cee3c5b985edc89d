"""What others may see of the follow-up: nothing, alone or against another figure, that stands for a small group (domain rule 4).

Others are told only of whole *blocks*: one or more closed months in a row of one municipality, fixed once for ever. Whatever they ask for
is a sum of blocks, so what they can work out by comparing answers is a sum of blocks as well. In a block each aspect is shown only when
none of its classes is small; sums, shares and differences within an aspect are then sums of classes that may be seen.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from services.planning.domain.measures import Aspect, Label, Terms

_A = Aspect
NESTED: Final = (
    ((_A.NOTICE_ORDER, Label.MISSING), (_A.ADMISSION_NOTICE, Label.MISSING), _A.NOTICE_ORDER),
    ((_A.ADMISSION_NOTICE, Label.MISSING), (_A.MUNICIPAL_NOTICES, Label.NO_NOTICE), _A.MUNICIPAL_NOTICES),
    ((_A.NOTICE_ORDER, Label.MISSING), (_A.MUNICIPAL_NOTICES, Label.NO_NOTICE), _A.MUNICIPAL_NOTICES),
)
"""Classes of two aspects of which the first lies within the second by definition, so that their difference is a group as well; and which
aspect is kept back when that one is small. (Where aspects share a class, as those who were not ready, it is the same in both.)
"""


def is_small(size: int, terms: Terms) -> bool:
    """Whether a group is small; an empty one says something of nobody.

    Source:
        Domain rule 4: groups smaller than 5 are shown as such.
    """
    return 0 < size < terms.smallest_group


def aspects_shown(classes: Mapping[Aspect, Mapping[Label, int]], terms: Terms) -> frozenset[Aspect]:
    """The aspects of a block, of one care type, that others may see: those with no small class, alone or against another aspect.

    Source:
        Domain rule 4: groups smaller than 5 are shown as such.
    """
    shown = {aspect for aspect, sizes in classes.items() if not any(is_small(size, terms) for size in sizes.values())}
    for (inner, inner_label), (outer, outer_label), kept_back in NESTED:
        if {inner, outer} <= shown and is_small(classes[outer].get(outer_label, 0) - classes[inner].get(inner_label, 0), terms):
            shown.discard(kept_back)
    return frozenset(shown)


def deviations_shown(stays: int, concerned: int, answered: int, terms: Terms) -> bool:
    """Whether others may see the deviations of one step of the chain: neither the stays with one nor those without are few.

    Source:
        Domain rule 4: groups smaller than 5 are shown as such.
    """
    return not any(is_small(size, terms) for size in (concerned, stays - concerned, answered, concerned - answered))


def block_ends(months: Sequence[Mapping[str, int]], terms: Terms) -> bool:
    """Whether closed months that no block has yet are enough for one: in each care type five stays, or none at all.

    Somatic and psychiatric stay together: where both are known at another place, one of them alone would tell the other. So does a month
    that billing's averages hide for being small, once the other months of its block are taken away: together such months are five or none.

    Source:
        Domain rule 4: groups smaller than 5 are shown as such; somatic and psychiatric apart.
    """
    sizes: dict[str, int] = {}
    for month in months:
        for care_type, stays in month.items():
            sizes[care_type] = sizes.get(care_type, 0) + stays
    hidden = sum(size for size in (sum(month.values()) for month in months) if is_small(size, terms))
    return any(sizes.values()) and not any(is_small(size, terms) for size in (hidden, *sizes.values()))
