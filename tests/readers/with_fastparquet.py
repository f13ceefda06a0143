"""Reads each file with fastparquet, but for what it cannot read: columns of days with one that
nanoseconds since 1970 do not reach, such as the end of the year 9999. It gives other days for it.
"""

import fastparquet
import pandas
from cells import files, over_row_groups, tell

DATE = fastparquet.parquet_thrift.ConvertedType.DATE
LAST_DAY = pandas.Timestamp.max.value // (86_400 * 10**9)


def is_readable(parquet, index):
    """Whether all days of the column can be read; columns of other types can."""
    if parquet.schema.schema_element(parquet.columns[index]).converted_type != DATE:
        return True
    chunks = [group.columns[index].meta_data.statistics for group in parquet.row_groups]
    last_days = [int.from_bytes(chunk.max_value or b"", "little", signed=True) for chunk in chunks]
    return max(last_days, default=0) <= LAST_DAY


def plain(value):
    return None if pandas.isna(value) else getattr(value, "to_pydatetime", lambda: value)()


for file in files:
    parquet = fastparquet.ParquetFile(file)
    readable = [name for index, name in enumerate(parquet.columns) if is_readable(parquet, index)]
    table = parquet.to_pandas(columns=readable)
    seen = parquet.statistics
    ends = {
        name: (seen["min"][name], seen["max"][name], seen["null_count"][name]) for name in readable
    }
    tell(
        {name: [plain(value) for value in table[name].tolist()] for name in readable},
        statistics={
            name: over_row_groups(zip(*ends[name]))
            for name in readable
            if table[name].dtype == "float64"
        },
    )
