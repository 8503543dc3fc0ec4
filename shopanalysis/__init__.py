"""From the files a shop downloads to dated reports.

exports ─→ tables ─→ analyses ─→ figures, words, report ─→ notebooks ─→ batch ─→ reports/<date>/<shop>/

exports    one reader for every vendor's files; formats/*.toml say what is what
tables     the data contract, checked on the way in
analyses   daily_report, traffic_sources, conversion_diagnostics, bestsellers, sales_forecast:
           table in, table out
figures    table in, Axes out          words    numbers as text, in two languages
report     findings, tables and figures as one page
batch      papermill runs the notebooks; every report appears whole or not at all
"""

__version__ = "0.1.0"
