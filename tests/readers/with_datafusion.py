"""Reads each file with DataFusion."""

import datafusion
import pyarrow
from cells import ask, files, tell

for file in files:
    context = datafusion.SessionContext()
    context.register_parquet("t", file)

    def value(sql):
        return context.sql(sql).collect()[0].column(0)[0].as_py()

    schema = context.table("t").schema()
    floats = [field.name for field in schema if field.type == pyarrow.float64()]
    tell(context.table("t").to_pydict(), engine=ask(value, floats, "t"))
