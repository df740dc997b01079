"""The treasury file: TOML in, a `Treasury` or every fault of it out."""

from bot.treasury_file.faults import TreasuryFileError
from bot.treasury_file.places import TreasuryFile
from bot.treasury_file.reader import read_file, read_treasury

__all__ = ["TreasuryFile", "TreasuryFileError", "read_file", "read_treasury"]
