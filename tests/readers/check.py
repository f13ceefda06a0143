#!/usr/bin/env python3
"""Reads exports with the Parquet readers that analysts have, old ones included, and compares all.

    python3 tests/readers/check.py target/release/superoffice-export

Each reader is installed from its registry into a folder of its own below target/readers, and is
there the next time. It reads every table of two exports: the demo's, and one of floats, instants
and texts that are easily read wrong. What it has to find is what the same export holds as CSV,
which no Parquet library has touched.
"""

import concurrent.futures
import csv
import datetime
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import hostile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = ROOT / "target/readers"
EXPORTS = TARGET / "exports"
EPOCH = datetime.datetime(1970, 1, 1)


@dataclass(frozen=True)
class Reader:
    """A reader and how to install it."""

    script: str
    # As the registry names them; the newest where there is no version.
    packages: tuple
    # Readers whose packages it needs as well.
    beside: tuple = ()
    # Columns that it cannot read.
    leaves_out: tuple = ()
    # The first Python that the version has no package for.
    before: tuple = (4, 0)

    @property
    def name(self):
        return self.packages[0]

    @property
    def folder(self):
        return TARGET / self.name.replace("==", "-")


PANDAS = Reader("with_pandas.py", ("pandas", "pyarrow", "typing_extensions"))
READERS = [
    PANDAS,
    Reader("with_fastparquet.py", ("fastparquet",), leaves_out=("sale_day",)),
    Reader("with_polars.py", ("polars==0.20.31",)),
    Reader("with_polars.py", ("polars==1.0.0",)),
    Reader("with_polars.py", ("polars==1.42.1",)),
    Reader("with_polars.py", ("polars",)),
    Reader("with_duckdb.py", ("duckdb==1.0.0",), before=(3, 13)),
    Reader("with_duckdb.py", ("duckdb",)),
    # All that they need besides is pyarrow, which is large.
    Reader("with_datafusion.py", ("datafusion==43.1.0",), beside=(PANDAS,)),
    Reader("with_datafusion.py", ("datafusion",), beside=(PANDAS,)),
    Reader("with_hyparquet.mjs", ("hyparquet", "hyparquet-compressors")),
]


def install(reader):
    """Installs the reader where it is not there yet."""
    if reader.folder.exists():
        return
    partial = reader.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if reader.script.endswith(".mjs"):
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", partial]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:", "--target", partial]
        command += ["--no-deps"] if reader.beside else []
    subprocess.run([*command, *reader.packages], check=True)
    partial.rename(reader.folder)


def read(reader, files):
    """What the reader says of each file, up to one that it cannot read; see cells.py."""
    if reader.script.endswith(".mjs"):
        program, place = "node", {"READER": reader.folder}
    else:
        folders = [reader.folder, *(other.folder for other in reader.beside)]
        program, place = sys.executable, {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    done = subprocess.run(
        [program, HERE / reader.script, *files],
        check=False,
        env={**os.environ, **place},
        stdout=subprocess.PIPE,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def export(program, name, job):
    """Exports twice from the same answers, as Parquet and as CSV, and gives the two folders."""
    folder = EXPORTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folders = []
    for arguments in [[], ["--offline", "--format", "csv"]]:
        command = [program, "run", job, "--dir", folder, "--progress", "none"]
        subprocess.run([*command, *arguments], check=True)
        folders.append((folder / "latest").resolve())
    return folders


def exports(program):
    """The folders of the demo's export and of the one of hostile values."""
    with hostile.server() as address:
        ids = TARGET / "hostile.csv"
        lines = ["contactId", *map(str, hostile.CONTACT_IDS)]
        ids.write_text("".join(f"{line}\n" for line in lines))
        job = TARGET / "hostile.toml"
        api = f'[api]\nbase_url = "{address}"\ntime_zone = "UTC"\n'
        job.write_text(f'[source]\npath = "{ids.name}"\n{api}')
        return [
            export(program, "demo", ROOT / "jobs/demo.toml"),
            export(program, "hostile", job),
        ]


def declared_types(program):
    """`{table: {column: type}}`, as the program documents it."""
    types = {}
    printed = subprocess.run([program, "tables"], check=True, stdout=subprocess.PIPE, text=True)
    for line in printed.stdout.splitlines():
        if heading := re.fullmatch(r"## (\w+)", line):
            columns = types.setdefault(heading[1], {})
        elif row := re.match(r"\| `(\w+)` \| ([A-Z]+)", line):
            columns[row[1]] = row[2]
    return types


def plain(cell):
    """A cell without the apostrophe that keeps a spreadsheet from running it as a formula."""
    return cell[1:] if re.match(r"'[=+\-@\t\r']", cell) else cell


def columns_of(path):
    """The columns of a CSV file, as text."""
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = ([plain(cell) for cell in row] for row in csv.reader(file))
    return {name: [row[index] for row in rows] for index, name in enumerate(header)}


def typed(column_type, cell):
    """A cell that a reader or the CSV gave, as a value of its column's type."""
    if cell is None or (cell == "" and column_type != "VARCHAR"):
        return None
    if column_type == "BIGINT":
        return int(cell)
    if column_type == "DOUBLE":
        return float(cell)
    if column_type == "BOOLEAN":
        return {"true": True, "false": False}.get(cell, cell)
    if column_type == "TIMESTAMP" and re.fullmatch(r"-?\d+", cell):
        return EPOCH + datetime.timedelta(microseconds=int(cell))
    if column_type == "TIMESTAMP":
        return datetime.datetime.fromisoformat(cell.removesuffix("Z"))
    if column_type == "DATE":
        return datetime.datetime.fromisoformat(cell).date()
    return cell


def is_same(column_type, found, right):
    """Whether the cells are equal. CSV has one empty field for null and for empty text."""
    if column_type == "VARCHAR":
        return (found or "") == right
    if type(found) is float and type(right) is float:
        # Zeros have a sign.
        return found == right and math.copysign(1, found) == math.copysign(1, right)
    return found == right and type(found) is type(right)


class Comparison:
    """What readers say against what the CSV holds, and all that is wrong of it."""

    def __init__(self):
        self.faults = []
        # Nulls of each column as the first reader found them: CSV does not tell them from "".
        self.nulls = {}

    def need(self, is_right, *words):
        if not is_right:
            self.faults.append(": ".join(map(str, words)))

    def file(self, reader, file, types, told, expected):
        """All that one reader says of one file."""
        place = f"{reader.name}: {file.relative_to(EXPORTS)}"
        missing = set(expected) - set(told["columns"]) - set(reader.leaves_out)
        self.need(not missing, place, "without", *sorted(missing))
        for name, cells in told["columns"].items():
            right = [typed(types[name], cell) for cell in expected[name]]
            self.cells(f"{place}: {name}", types[name], cells, right)
            nulls = cells.count(None)
            first = self.nulls.setdefault((file, name), nulls)
            self.need(nulls == first, place, name, f"{nulls} nulls, not {first}")
            values = [value for value in right if value is not None]
            if statistics := told.get("statistics", {}).get(name):
                self.statistics(f"{place}: {name}", types[name], statistics, values, nulls)
            if (engine := told.get("engine", {}).get(name)) and values:
                self.engine(f"{place}: {name}", engine, values)

    def cells(self, place, column_type, cells, right):
        """Every cell; of a column, the first that is wrong is told."""
        self.need(len(cells) == len(right), place, f"{len(cells)} rows, not {len(right)}")
        for row, (cell, value) in enumerate(zip(cells, right), start=1):
            found = typed(column_type, cell)
            if not is_same(column_type, found, value):
                self.faults.append(f"{place}: row {row} is {found!r}, not {value!r}")
                break

    def statistics(self, place, column_type, statistics, values, nulls):
        """Least, greatest and nulls of the file. Text may be cut there: of it, the nulls alone."""
        least, greatest, counted = statistics
        self.need(counted == nulls, place, f"{counted} nulls in its statistics, not {nulls}")
        if column_type == "VARCHAR":
            return
        # The format's rule for floats: either zero is -0.0 as a minimum and 0.0 as a maximum.
        for found, end, zero in [(least, min, -0.0), (greatest, max, 0.0)]:
            found, right = typed(column_type, found), end(values, default=None)
            right = zero if column_type == "DOUBLE" and right == 0 else right
            is_right = is_same(column_type, found, right)
            self.need(is_right, place, f"{found!r} in its statistics, not {right!r}")

    def engine(self, place, engine, values):
        """What queries over a column of floats give. Sums differ by the order of their terms."""
        right = {
            "least": min(values),
            "greatest": max(values),
            "above": sum(value > 1 for value in values),
            "below": sum(value < -1 for value in values),
        }
        for query, value in right.items():
            self.need(engine[query] == value, place, f"{query}: {engine[query]!r}, not {value!r}")
        total, uncertain = math.fsum(values), 1e-12 * max(map(abs, values)) * len(values)
        is_right = abs(engine["sum"] - total) <= uncertain
        self.need(is_right, place, f"sum: {engine['sum']!r}, not {total!r}")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    TARGET.mkdir(parents=True, exist_ok=True)
    readers = [reader for reader in READERS if sys.version_info < reader.before]
    for reader in READERS:
        if reader not in readers:
            print(f"{reader.name}: skipped, since there is none for Python {sys.version}")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(install, readers))

    types = declared_types(program)
    files, expected = [], []
    for parquet, texts in exports(program):
        for table in types:
            files.append(parquet / f"{table}.parquet")
            expected.append(columns_of(texts / f"{table}.csv"))

    comparison = Comparison()
    for reader in readers:
        began = time.monotonic()
        answers = read(reader, files)
        unread = files[len(answers) :]
        comparison.need(not unread, reader.name, "cannot read", *unread[:1])
        for file, told, cells in zip(files, answers, expected):
            comparison.file(reader, file, types[file.stem], told, cells)
        print(f"{reader.name}: {time.monotonic() - began:.1f} s", flush=True)
    print("\n".join(comparison.faults) or f"{len(readers)} readers agree on {len(files)} files")
    sys.exit(bool(comparison.faults))


if __name__ == "__main__":
    main()
