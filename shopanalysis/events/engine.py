"""The engine behind Ibis: DuckDB in this process, or what an address names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shopanalysis.errors import DataError, ParameterError
from shopanalysis.events.settings import Settings

SPARK = ("pyspark", "spark")


def connect(asked: Settings, spill: Path):
    """A connection of Ibis to the engine that the settings name.

    Raises ParameterError when it is not installed or the address names none.
    """
    try:
        import ibis

        if asked.engine == "duckdb":
            spill.mkdir(parents=True, exist_ok=True)
            return ibis.duckdb.connect(
                memory_limit=asked.memory_limit,
                temp_directory=str(spill),
                preserve_insertion_order=False,
            )
        return ibis.connect(asked.engine)
    except ImportError as cause:
        extra = "spark" if asked.engine.startswith(SPARK) else "events"
        raise ParameterError(
            f'engine = "{asked.engine}" needs what is not installed ({cause.name}): '
            f"pip install 'shopanalysis[{extra}]'."
        ) from None
    except (ValueError, AttributeError) as cause:
        raise ParameterError(
            f'engine = "{asked.engine}" is no engine: {cause}. Allowed: "duckdb", or an address '
            'of Ibis such as "pyspark://local".'
        ) from None


def read(connection, files: Sequence[Path]):
    """Parquet or CSV files as one table of Ibis; every column of a CSV is text."""
    names = [str(file) for file in files]
    if files[0].suffix != ".csv":
        many = {"union_by_name": True} if connection.name == "duckdb" else {"mergeSchema": True}
        return connection.read_parquet(names, **many)
    if connection.name == "duckdb":
        return connection.read_csv(names, all_varchar=True, header=True, union_by_name=True)
    return connection.read_csv(names, header=True, inferSchema=False)


@contextmanager
def failures(asked: Settings) -> Iterator[None]:
    """Say what failed in the engine in plain words; nothing of tables/ was changed by then."""
    try:
        yield
    except Exception as cause:
        if not type(cause).__module__.lstrip("_").startswith(("duckdb", "pyspark", "py4j")):
            raise
        name, text = type(cause).__name__, str(cause).strip().splitlines()[0]
        if "OutOfMemory" in name or "No space left" in text:
            text += f" Raise memory_limit ({asked.memory_limit}) or give spill a disk with room."
        raise DataError(f"The event log could not be reduced, tables are as before: {text}") from None
