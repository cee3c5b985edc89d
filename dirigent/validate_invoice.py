"""`dirigent validate-invoice`: hold an electronic invoice against official rule files that the user has; none are shipped."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree

from dirigent.failure import CannotStart

COMPILED: Final = frozenset({".xsl", ".xslt"})
SOURCE: Final = ".sch"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_FAILED: Final = (f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
LOCAL_ONLY: Final = "file,jar"


class Severity(StrEnum):
    """How grave a finding is, gravest first: a fatal one makes the invoice invalid."""

    FATAL = "fatal"
    WARNING = "warning"
    INFORMATION = "information"


_GRAVITY: Final = {"": Severity.FATAL, "fatal": Severity.FATAL, "error": Severity.FATAL, "warning": Severity.WARNING}


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that the invoice breaks, in the words of the rule's authors, and the place."""

    severity: Severity
    rule: str
    message: str
    place: str
    file: str


class UnreadableInvoice(ValueError):
    """The file is no XML that we would open: not well-formed, or with a DOCTYPE."""


class Rules:
    """Rule files, compiled once; each may be held against any number of invoices."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Compile some rule files.

        Raises:
            CannotStart: Saxon is not installed, or a file is no compiled Schematron.
        """
        self._saxon = _saxon()
        engine = self._saxon.new_xslt30_processor()
        self._rules = [(file.name, _compiled(engine, file)) for file in files]

    def findings(self, invoice: bytes) -> list[Finding]:
        """Everything the rules say about an invoice, the gravest first.

        Raises:
            UnreadableInvoice: It is not well-formed XML, or has a DOCTYPE.
        """
        text = etree.tostring(read_safely(invoice), encoding="unicode")
        node = self._saxon.parse_xml(xml_text=text)
        found = [finding for name, rule in self._rules for finding in _told(rule.transform_to_string(xdm_node=node), name)]
        order = list(Severity)
        return sorted(found, key=lambda finding: (order.index(finding.severity), finding.file))


def command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Invoice or credit note as UBL.")],
    rules: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder with the rule files: compiled Schematron, *.xsl or *.xslt.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
) -> None:
    """Hold an invoice against official rules (EN 16931, Peppol and its Swedish part); exit code 0 only without a fatal finding.

    Nothing is fetched. Needs Saxon: pip install --require-hashes -r requirements-schematron.txt
    """
    try:
        found = Rules(rule_files(rules)).findings(file.read_bytes())
    except UnreadableInvoice as error:
        raise CannotStart(f"{file}: {error}") from None
    fatal = sum(1 for finding in found if finding.severity is Severity.FATAL)
    if as_json:
        print(json.dumps({"valid": not fatal, "findings": [asdict(finding) for finding in found]}, ensure_ascii=False, indent=2))
    else:
        for finding in found:
            print(f"{finding.severity:11} {finding.rule}  {finding.message}\n{'':11} {finding.place}  ({finding.file})")
        print(f"{'not valid' if fatal else 'valid'}: {fatal} fatal, {len(found) - fatal} other findings")
    raise typer.Exit(1 if fatal else 0)


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, in the order of their names.

    Raises:
        CannotStart: There are none, or only Schematron that nobody has compiled yet.
    """
    names = sorted(path for path in folder.iterdir() if path.is_file())
    found = [path for path in names if path.suffix.lower() in COMPILED]
    left_over = [path.name for path in names if path.suffix.lower() == SOURCE and path.stem not in {one.stem for one in found}]
    if left_over:
        raise CannotStart(
            f"{', '.join(left_over)}: Schematron source; give the compiled form (*.xsl, *.xslt), which the authors of EN 16931 publish "
            "beside it and which SchXslt makes of any other"
        )
    if not found:
        raise CannotStart(f"{folder}: no rule files (*.xsl, *.xslt)")
    return found


def read_safely(invoice: bytes) -> etree._Element:
    """Parse an invoice that may come from anybody: no entity is resolved, nothing is fetched, no size is made up inside it.

    Raises:
        UnreadableInvoice: It is not well-formed XML, or has a DOCTYPE.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(invoice, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableInvoice(f"no well-formed XML: {error.msg}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableInvoice("a DOCTYPE has no place in an invoice")
    return root


def _saxon() -> Any:
    try:
        saxon = import_module("saxonche").PySaxonProcessor(license=False)
    except ImportError:
        raise CannotStart("Saxon is not installed; pip install --require-hashes -r requirements-schematron.txt") from None
    saxon.set_configuration_property("http://saxon.sf.net/feature/allowedProtocols", LOCAL_ONLY)
    return saxon


def _compiled(engine: Any, file: Path) -> Any:
    try:
        return engine.compile_stylesheet(stylesheet_file=str(file.absolute()))
    except import_module("saxonche").PySaxonApiError as error:
        raise CannotStart(f"{file}: cannot be compiled: {error}") from None


def _told(report: str | None, file: str) -> Iterator[Finding]:
    """The findings of one report (SVRL)."""
    root = None if report is None else etree.fromstring(report.encode())
    if root is None or root.tag != f"{_SVRL}schematron-output":
        raise CannotStart(f"{file}: is no Schematron: it reports nothing that could be read")
    for failed in root.iter(*_FAILED):
        flag = (failed.get("flag") or failed.get("role") or "").lower()
        words = " ".join("".join(str(part) for part in failed.itertext()).split())
        severity = _GRAVITY.get(flag, Severity.INFORMATION)
        yield Finding(severity, failed.get("id") or "", words, failed.get("location") or "", file)
