"""What the readers in Python print: one line of JSON per file.

    {"columns": {name: cells}, "statistics": {name: [least, greatest, nulls]},
     "engine": {name: {query: result}}}

`statistics` is what the reader sees of the file's, `engine` what its own queries over a column of
floats give; a reader that has none of these leaves it out. Instants are UTC.
"""

import datetime
import json
import sys

QUERIES = {
    "least": "SELECT min({column}) FROM {table}",
    "greatest": "SELECT max({column}) FROM {table}",
    "sum": "SELECT sum({column}) FROM {table}",
    # A reader may leave out what lies outside of the statistics.
    "above": "SELECT count(*) FROM {table} WHERE {column} > 1",
    "below": "SELECT count(*) FROM {table} WHERE {column} < -1",
}


def cell(value):
    """A value as JSON has it."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def tell(columns, statistics=None, engine=None):
    """Prints what was read of one file."""

    def plain(rows):
        return {name: [cell(value) for value in row] for name, row in rows.items()}

    told = {
        "columns": plain(columns),
        "statistics": plain(statistics or {}),
        "engine": engine or {},
    }
    print(json.dumps(told))


def over_row_groups(chunks):
    """The statistics of a column from those of its chunks, (least, greatest, nulls) each."""
    chunks = list(chunks)
    least = [chunk[0] for chunk in chunks if chunk[0] is not None]
    greatest = [chunk[1] for chunk in chunks if chunk[1] is not None]
    return [
        min(least, default=None),
        max(greatest, default=None),
        sum(chunk[2] for chunk in chunks),
    ]


def ask(query, columns, table):
    """What the queries give of these columns of floats; `query` gives the one value of an SQL."""

    def of(column):
        return {
            name: query(sql.format(column=column, table=table)) for name, sql in QUERIES.items()
        }

    return {column: of(column) for column in columns}


files = sys.argv[1:]
