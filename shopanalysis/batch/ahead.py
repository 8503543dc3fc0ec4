"""What pandas, Arrow, matplotlib and the texts load when first used: warm kernels have it already."""

# ruff: noqa: F401

import matplotlib.backends.backend_svg
import pandas.core.arrays.arrow.extension_types
import pandas.io.formats.string
import pyarrow.dataset
import pyarrow.pandas_compat
import pyarrow.parquet

from shopanalysis.languages import LANGUAGES
from shopanalysis.words import metrics, texts

metrics()
for _language in LANGUAGES:
    texts(_language)
