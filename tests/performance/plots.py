"""The plots of README.md beside this file: horizontal bars as SVG, one file for light and one for dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

PLOTS = Path(__file__).parent / "plots"

WIDTH, LABELS, VALUES = 720, 250, 70
FONTS = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
BAR, PITCH, TOP = 20, 34, 48


@dataclass(frozen=True, slots=True)
class Theme:
    """The contrast with the page, white or GitHub's dark, is at least 3:1 for bars and 7:1 for text (WCAG 2.2)."""

    name: str
    text: str
    ours: str
    other: str


THEMES = (
    Theme("light", text="#1f2328", ours="#0550ae", other="#818b98"),
    Theme("dark", text="#e6edf3", ours="#58a6ff", other="#768390"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: float
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Plot:
    name: str
    title: str
    """What the bars measure, and the unit."""
    bars: Sequence[Bar]

    def svg(self, theme: Theme) -> str:
        height = TOP + PITCH * len(self.bars)
        longest = max(bar.value for bar in self.bars)
        description = "; ".join(f"{bar.label}: {bar.value:.2f}" for bar in self.bars)
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"',
            f'     role="img" font-family="{FONTS}" font-size="14" fill="{theme.text}">',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(description)}</desc>",
            f'<text x="0" y="20" font-size="15" font-weight="600">{escape(self.title)}</text>',
            *(_drawn(bar, TOP + PITCH * row, longest, theme) for row, bar in enumerate(self.bars)),
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for theme in THEMES:
            (folder / f"{self.name}-{theme.name}.svg").write_text(self.svg(theme), encoding="utf-8")


def _drawn(bar: Bar, y: int, longest: float, theme: Theme) -> str:
    length = max(round(bar.value / longest * (WIDTH - LABELS - VALUES), 1), 1)
    colour, weight = (theme.ours, 600) if bar.is_ours else (theme.other, 400)
    middle = y + BAR / 2 + 5
    return (
        f'<text x="{LABELS - 12}" y="{middle:g}" text-anchor="end" font-weight="{weight}">{escape(bar.label)}</text>'
        f'<rect x="{LABELS}" y="{y}" width="{length:g}" height="{BAR}" fill="{colour}"/>'
        f'<text x="{LABELS + length + 8:g}" y="{middle:g}" font-weight="{weight}">{bar.value:.2f}</text>'
    )
