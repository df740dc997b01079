"""The treasury file: TOML in, a `Treasury` or every fault of it out."""

from bot.treasury_file.faults import TreasuryFileError
from bot.treasury_file.reader import read_treasury

__all__ = ["TreasuryFileError", "read_treasury"]
