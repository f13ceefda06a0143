#!/usr/bin/env python3
"""Size and reading speed of an export's Parquet files against those that DuckDB writes of the same rows.

    target/dist/superoffice-export run JOB && python3 tests/bench/against_duckdb.py OUTPUT_DIR/latest

Needs `pip install duckdb-cli`.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

WRITERS = {"DuckDB, zstd": "FORMAT parquet, COMPRESSION zstd", "DuckDB, as it does by default": "FORMAT parquet"}
ROUNDS = 9


def duckdb(statements):
    subprocess.run(["duckdb", "-c", statements], check=True, stdout=subprocess.DEVNULL)


def scan(files):
    """Seconds to read every column of every file once; the fastest of many rounds."""
    statements = "".join(f"SELECT max(hash(COLUMNS(*))) FROM '{file}';" for file in files)
    seconds = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        duckdb(statements)
        seconds.append(time.monotonic() - began)
    return min(seconds)


def main():
    files = sorted(pathlib.Path(sys.argv[1]).resolve().glob("*.parquet"))
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"this program": files}
        for number, (writer, options) in enumerate(WRITERS.items()):
            written = [pathlib.Path(folder) / f"{number}-{file.name}" for file in files]
            for file, copy in zip(files, written):
                duckdb(f"COPY (FROM '{file}') TO '{copy}' ({options})")
            kinds[writer] = written
        for writer, written in kinds.items():
            size = sum(file.stat().st_size for file in written)
            print(f"{writer:>30}: {size:12,} bytes, read in {scan(written):.3f} s")


if __name__ == "__main__":
    main()
