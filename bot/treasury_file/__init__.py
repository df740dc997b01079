"""The treasury file: TOML in, or CSV that adds to it; a `Treasury` or every fault of it out."""

from bot.treasury_file.csv_file import is_csv
from bot.treasury_file.faults import TreasuryFileError
from bot.treasury_file.places import TreasuryFile
from bot.treasury_file.reader import read_file, read_part, read_treasury

__all__ = ["TreasuryFile", "TreasuryFileError", "is_csv", "read_file", "read_part", "read_treasury"]
