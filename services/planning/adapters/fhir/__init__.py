"""FHIR R4: messages in, and Encounter, Patient, Task and CarePlan out; the profile is described in docs/fhir.md."""
