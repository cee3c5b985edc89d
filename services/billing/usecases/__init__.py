"""What billing can do: each use case is one function in one transaction."""

from services.billing.repository.debtors import Debtor
from services.billing.usecases.debtors import enter_debtors

__all__ = ["Debtor", "enter_debtors"]
