"""Money as whole öre, so that no krona is ever rounded away."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

ORE_PER_KRONA: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in Swedish kronor, kept as whole öre."""

    ore: int

    @classmethod
    def of_kronor(cls, kronor: Decimal | int | str) -> Self:
        """Read an amount in kronor; more than two decimals is an error, never a rounding.

        Raises:
            ValueError: The amount is not a finite number of whole öre.
        """
        ore = Decimal(kronor) * ORE_PER_KRONA
        if not ore.is_finite() or ore != ore.to_integral_value():
            raise ValueError("an amount must be a whole number of öre")
        return cls(int(ore))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.ore + other.ore)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.ore - other.ore)

    def __mul__(self, days: int) -> "Money":
        return Money(self.ore * days)

    def __neg__(self) -> "Money":
        return Money(-self.ore)

    def __bool__(self) -> bool:
        return self.ore != 0

    def __str__(self) -> str:
        """Kronor with two decimals and a point, as the public interface writes them."""
        sign = "-" if self.ore < 0 else ""
        kronor, ore = divmod(abs(self.ore), ORE_PER_KRONA)
        return f"{sign}{kronor}.{ore:02d}"


ZERO: Final = Money(0)
