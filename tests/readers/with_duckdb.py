"""Reads each file with DuckDB."""

import datetime

import duckdb
from cells import ask, files, tell

EPOCH = datetime.datetime(1970, 1, 1)
STATISTICS = """
    SELECT path_in_schema, min(stats_min_value::DOUBLE), max(stats_max_value::DOUBLE),
        sum(stats_null_count)::BIGINT
    FROM parquet_metadata('{file}') WHERE type = 'DOUBLE' GROUP BY ALL
"""


def query(sql):
    return duckdb.sql(sql).fetchall()


def column(table, name, column_type):
    """The cells of a column. Instants come as numbers, else they would need one more package."""
    if column_type != "TIMESTAMP WITH TIME ZONE":
        return [cell for (cell,) in query(f"SELECT {name} FROM {table}")]
    numbers = [number for (number,) in query(f"SELECT epoch_us({name}) FROM {table}")]
    return [n if n is None else EPOCH + datetime.timedelta(microseconds=n) for n in numbers]


for file in files:
    table = f"read_parquet('{file}')"
    types = {name: column_type for name, column_type, *_ in query(f"DESCRIBE FROM {table}")}
    floats = [name for name, column_type in types.items() if column_type == "DOUBLE"]
    tell(
        {name: column(table, name, column_type) for name, column_type in types.items()},
        statistics={name: row for name, *row in query(STATISTICS.format(file=file))},
        engine=ask(lambda sql: query(sql)[0][0], floats, table),
    )
