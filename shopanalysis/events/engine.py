"""The engine behind Ibis: DuckDB in this process, or what an address names.

Expressions over tables by name are built once; a day puts its own log in the place of a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from shopanalysis.errors import DataError, ParameterError
from shopanalysis.events.settings import Settings

PIECE = 100_000  # rows
SPARK = ("pyspark", "spark")


class Engine:
    """Any engine of Ibis, by what every engine of Ibis can."""

    def __init__(self, connection) -> None:
        self.connection = connection

    def read(self, files: Sequence[Path], names: Sequence[str] = ()):
        """Files with the same columns as one table; every column of a CSV is text.

        names   of the columns of CSV that do not name them in their first line
        """
        import ibis

        csv = partial(self.connection.read_csv, header=not names, inferSchema=False)
        parts = [
            (csv if file.suffix == ".csv" else self.connection.read_parquet)(str(file))
            for file in files
        ]
        return _named(ibis.union(*parts) if len(parts) > 1 else parts[0], names)

    def name(self, name: str, table) -> None:
        """From now on `name` is `table`, computed whenever it is read."""
        self.connection.create_view(name, table, overwrite=True)

    def name_files(self, name: str, files: Sequence[Path]) -> None:
        """From now on `name` is the rows of Parquet files with the same columns."""
        self.name(name, self.read(files))

    def hold(self, name: str, table) -> None:
        """From now on `name` is `table`, computed once."""
        self.connection.create_table(name, table, temp=True, overwrite=True)

    def let_go(self, name: str) -> None:
        """What was held as `name` needs no memory any more."""
        self.connection.drop_table(name, force=True)

    def rows(self, table) -> list[dict]:
        """The rows of a small table."""
        return self.connection.to_pyarrow(table).to_pylist()

    def frame(self, table):
        """A table in pandas."""
        return self.connection.to_pyarrow(table).to_pandas()

    def stream(self, table, target: Path) -> int:
        """Write a table of any length to one Parquet file, a piece in memory at a time; its rows."""
        import pyarrow.parquet

        rows, pieces = 0, self.connection.to_pyarrow_batches(table, chunk_size=PIECE)
        with pyarrow.parquet.ParquetWriter(target, pieces.schema) as writer:
            for piece in pieces:
                writer.write_batch(piece)
                rows += piece.num_rows
        return rows

    def stream_in_order(self, table, target: Path, key: Sequence[str]) -> int:
        """stream() sorted by `key`, by which the files that the table reads one after another are."""
        return self.stream(table.order_by(key), target)

    def write(self, table, target: Path) -> None:
        """Write a table to Parquet: a file, or a folder of parts."""
        self.connection.to_parquet(table, target)


class Spark(Engine):
    """Spark has no table that ends with its session: it caches what a view reads."""

    def __init__(self, connection) -> None:
        super().__init__(connection)
        self.held: dict[str, object] = {}

    def hold(self, name: str, table) -> None:
        """From now on `name` is `table`, computed once."""
        self.let_go(name)
        self.held[name] = self.connection.raw_sql(self.connection.compile(table)).cache()
        self.held[name].createOrReplaceTempView(name)

    def let_go(self, name: str) -> None:
        """What was held as `name` needs no memory any more."""
        if name in self.held:
            self.held.pop(name).unpersist()


class DuckDB(Engine):
    """DuckDB reads many files as one, and takes SQL that was compiled for the day before."""

    def __init__(self, connection) -> None:
        super().__init__(connection)
        self.compiled: dict[object, str] = {}

    def read(self, files: Sequence[Path], names: Sequence[str] = ()):
        """Files as one table, missing where a file lacks a column or the end of a row; see above."""
        paths = [str(file) for file in files]
        if files[0].suffix != ".csv":
            return self.connection.read_parquet(paths, union_by_name=True)
        said = {"header": not names, "union_by_name": not names, "null_padding": True}
        return _named(self.connection.read_csv(paths, all_varchar=True, **said), names)

    def _sql(self, table) -> str:
        key = table.op()
        if key not in self.compiled:
            self.compiled[key] = self.connection.compile(table)
        return self.compiled[key]

    def name(self, name: str, table) -> None:
        """From now on `name` is `table`, computed whenever it is read."""
        self._run(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {self.connection.compile(table)}')

    def name_files(self, name: str, files: Sequence[Path]) -> None:
        """From now on `name` is the rows of Parquet files; nothing of them is read yet."""
        paths = ", ".join(_quoted(file) for file in files)
        self._run(f'CREATE OR REPLACE TEMP VIEW "{name}" AS FROM read_parquet([{paths}])')

    def hold(self, name: str, table) -> None:
        """From now on `name` is `table`, computed once."""
        self._run(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {self._sql(table)}')

    def let_go(self, name: str) -> None:
        """What was held as `name` needs no memory any more."""
        self._run(f'DROP TABLE IF EXISTS "{name}"')

    def rows(self, table) -> list[dict]:
        """The rows of a small table."""
        done = self.connection.raw_sql(self._sql(table))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def write(self, table, target: Path) -> None:
        """Write a table to a Parquet file."""
        self.stream(table, target)

    def stream(self, table, target: Path) -> int:
        """Write a table of any length to one Parquet file; its rows."""
        copy = f"COPY ({self._sql(table)}) TO {_quoted(target)} (FORMAT parquet)"
        ((rows,),) = self._run(copy)
        return rows

    def stream_in_order(self, table, target: Path, key: Sequence[str]) -> int:
        """stream() of rows as they are read: sorted files need no sorting."""
        self._run("SET preserve_insertion_order = true")
        try:
            return self.stream(table, target)
        finally:
            self._run("SET preserve_insertion_order = false")

    def _run(self, statement: str) -> list[tuple]:
        return self.connection.raw_sql(statement).fetchall()


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _named(table, names: Sequence[str]):
    return table.rename(dict(zip(names, table.columns, strict=True))) if names else table


def connect(asked: Settings, spill: Path) -> Engine:
    """The engine that the settings name.

    Raises ParameterError when it is not installed or the address names none.
    """
    try:
        import ibis

        if asked.engine == "duckdb":
            spill.mkdir(parents=True, exist_ok=True)
            return DuckDB(
                ibis.duckdb.connect(
                    memory_limit=asked.memory_limit,
                    temp_directory=str(spill),
                    preserve_insertion_order=False,
                )
            )
        return (Spark if asked.engine.startswith(SPARK) else Engine)(ibis.connect(asked.engine))
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
