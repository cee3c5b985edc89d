"""`dirigent doctor`: is what is stored still what was stored, and may it be trusted to stay?"""

from dirigent.doctor.examining import Finding, examine

__all__ = ["Finding", "examine"]
