"""Figures: table in, Axes out, one style; and Axes as SVG that follows the page's colours and fonts.

Every function draws on the `ax` it is given and reads its width from it: below NARROW it is for a phone.
"""

from shopanalysis.figures.bars import bridge, funnel, ranked_bars
from shopanalysis.figures.grids import calendar_heat_map, small_multiples
from shopanalysis.figures.lines import chance_lines, daily_line, forecast_fan
from shopanalysis.figures.marks import item_scatter, rate_intervals
from shopanalysis.figures.style import PAGE_COLOURS, PHONE, WIDE, svg

__all__ = [
    "PAGE_COLOURS",
    "PHONE",
    "WIDE",
    "bridge",
    "calendar_heat_map",
    "chance_lines",
    "daily_line",
    "forecast_fan",
    "funnel",
    "item_scatter",
    "ranked_bars",
    "rate_intervals",
    "small_multiples",
    "svg",
]
