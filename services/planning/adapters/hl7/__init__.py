"""HL7 v2: ADT messages in, acknowledgements out; the interface is described in docs/hl7.md."""
