"""The MLLP listener: HL7 v2 from one ward system over mutual TLS, handed on to the public interface in the name of one client."""
