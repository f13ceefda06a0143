"""Reads each file with pandas, and its statistics with pyarrow."""

import pandas
import pyarrow.parquet
from cells import files, over_row_groups, tell


def statistics(file):
    """Of each column; least and greatest where pyarrow trusts them."""
    metadata = pyarrow.parquet.read_metadata(file)
    told = {}
    for index, name in enumerate(metadata.schema.names):
        groups = [
            metadata.row_group(group).column(index).statistics
            for group in range(metadata.num_row_groups)
        ]
        told[name] = over_row_groups(
            (seen.min, seen.max, seen.null_count)
            if seen.has_min_max
            else (None, None, seen.null_count)
            for seen in groups
        )
    return told


def plain(value):
    return None if pandas.isna(value) else getattr(value, "to_pydatetime", lambda: value)()


for file in files:
    # Without nullable types, pandas turns integers with nulls into floats, whatever the file.
    table = pandas.read_parquet(file, engine="pyarrow", dtype_backend="numpy_nullable")
    tell(
        {name: [plain(value) for value in table[name].tolist()] for name in table.columns},
        statistics=statistics(file),
    )
