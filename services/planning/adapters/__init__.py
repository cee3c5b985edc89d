"""Translations of what other systems speak, HL7 v2 and FHIR R4, from and to the product's own events and views; nothing is decided here."""
