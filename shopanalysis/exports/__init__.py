"""Export files, as downloaded, into a shop's tables: `import_files` takes new ones, `refresh` what changed.

arrivals, archives, readers    open a file: Excel of any age, text in any encoding, zip, Parquet
recognition, mappings          which report it is: formats/*.toml say how to tell and what its columns are
mapping_checks                 what a mapping file may say
rows, preparing, values        its rows: totals and footers out, rules applied, cells parsed
source_tree, columns, building the contract's tables, checked; personal columns dropped
ledger, derived, records       what every file said, side by side; tables computed from orders; import.json
belonging                      whether a file is this shop's: its basis, currency, attribution
landing, restatements          all of it counts or nothing; what newer files changed
workbooks, old_workbooks       workbooks that would take the computer's memory
importing, run, writing        the flow of one import, what it works on, and what it leaves behind
"""

from shopanalysis.exports.imported import FileReport, Imported
from shopanalysis.exports.importing import import_files, refresh

__all__ = ["FileReport", "Imported", "import_files", "refresh"]
