"""The fonts of documents: files of installed packages, never those of the machine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PACKAGES = ("manimgx_fonts", "noto_cjk_sans_otc")

_HAN = {"JP": "JP", "CN": "SC", "SG": "SC", "MY": "SC", "TW": "TC", "HK": "HK", "MO": "HK"}
# All that are to be used, in order: what a family lacks comes from the next, the same one on every machine.
_OTHER_SCRIPTS = (
    "Arabic", "Hebrew", "Devanagari", "Thai", "Armenian", "Bengali", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi",
    "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Symbols",
)  # fmt: skip


def folders() -> list[Path]:
    """Where the font files lie."""
    return [Path(str(files(package))) for package in PACKAGES]


def families(country: str) -> list[str]:
    """The families for a bill-to country: Han characters take the shape that is read there, Korean by default."""
    return [
        "Noto Sans",
        f"Noto Sans CJK {_HAN.get(country, 'KR')}",
        *(f"Noto Sans {script}" for script in _OTHER_SCRIPTS),
        "Noto Emoji",
    ]
