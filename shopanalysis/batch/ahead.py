"""What pandas, Arrow, matplotlib, the holidays and the texts load at first use: warm kernels have it."""

# ruff: noqa: F401

import holidays.countries
import matplotlib.backends.backend_svg
import pandas.core.arrays.arrow.extension_types
import pandas.io.formats.string
import pyarrow.dataset
import pyarrow.pandas_compat
import pyarrow.parquet

from shopanalysis.languages import LANGUAGES
from shopanalysis.words import lacking, metrics

metrics()
for _language in LANGUAGES:
    lacking(_language)
