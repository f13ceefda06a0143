"""Reads each file with Polars: as a whole, and by lazy queries, which skip by statistics."""

import polars
from cells import files, tell

for file in files:
    table = polars.read_parquet(file)
    engine = {}
    for name, column_type in table.schema.items():
        if column_type == polars.Float64:
            column = polars.col(name)

            def query(expression, rows=True):
                return polars.scan_parquet(file).filter(rows).select(expression).collect().item()

            engine[name] = {
                "least": query(column.min()),
                "greatest": query(column.max()),
                "sum": query(column.sum()),
                "above": query(column.count(), column > 1),
                "below": query(column.count(), column < -1),
            }
    tell(table.to_dict(as_series=False), engine=engine)
