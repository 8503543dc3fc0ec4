"""The engine behind Ibis: DuckDB in this process, or what an address names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from shopanalysis.errors import DataError, ParameterError
from shopanalysis.events.settings import Settings

HELD = "acts_of_the_day"
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
    """Parquet or CSV files as one table of Ibis; every column of a CSV is text.

    Where the engine is not DuckDB, files read together have the same columns.
    """
    import ibis

    names = [str(file) for file in files]
    csv = files[0].suffix == ".csv"
    if connection.name == "duckdb":
        if csv:
            return connection.read_csv(names, all_varchar=True, header=True, union_by_name=True)
        return connection.read_parquet(names, union_by_name=True)
    open_csv = partial(connection.read_csv, header=True, inferSchema=False)
    parts = [(open_csv if csv else connection.read_parquet)(name) for name in names]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


@contextmanager
def held(connection, table) -> Iterator:
    """`table`, computed once and kept for as long as this lasts."""
    if connection.name != "duckdb":
        with table.cache() as cached:
            yield cached
        return
    connection.create_table(HELD, table, temp=True, overwrite=True)
    try:
        yield connection.table(HELD)
    finally:
        connection.drop_table(HELD)


def write(connection, said: dict[str, str], build: Callable, target: Path) -> None:
    """Write the table that `build` makes of the held one to a Parquet file.

    said   SQL of tables by their file's name: what differs only by the day is told once
    """
    if connection.name != "duckdb":
        return connection.to_parquet(build(), target)
    if target.name not in said:
        said[target.name] = connection.compile(build())
    place = str(target).replace("'", "''")
    connection.raw_sql(f"COPY ({said[target.name]}) TO '{place}' (FORMAT parquet)")


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
        raise DataError(
            f"The event log could not be reduced, tables are as before: {text}"
        ) from None
