"""The Swedish headings of a document: what it is, and how the stays behind it were counted."""

from typing import Final

from services.billing.domain.basis import CountedAs
from services.billing.domain.correcting import DocumentKind

KINDS: Final[dict[str, str]] = {
    DocumentKind.INVOICE: "Faktura",
    DocumentKind.SUPPLEMENTARY: "Tilläggsfaktura",
    DocumentKind.CREDIT_NOTE: "Kreditfaktura",
}

# In the order a reader looks for them: what costs by itself first, what costs nothing last.
COUNTED_AS: Final[dict[str, str]] = {
    CountedAs.LONG: "Långa vårdtider, debiteras vart för sig",
    CountedAs.INDIVIDUAL: "Debiteras vart för sig",
    CountedAs.AVERAGE: "Ingår i genomsnittet",
    CountedAs.REVIEW: "Väntar på granskning, debiteras inte",
    CountedAs.DISPUTED: "Tvistiga, debiteras inte förrän tvisten är avgjord",
    CountedAs.EXCLUDED: "Debiteras inte",
}
