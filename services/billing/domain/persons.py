"""Two persons or one: four eyes on money (domain rule 3.8); the rule itself is the one that every service goes by."""

from shared.persons import Actor, normal_form

__all__ = ["Actor", "normal_form"]
