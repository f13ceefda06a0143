#!/usr/bin/env python3
"""What a careful analyst would write by hand: asyncio and aiohttp, a queue of workers, pyarrow for the Parquet files.

    python3 tests/bench/asyncio_export.py BASE_URL IDS.csv FOLDER [IN_FLIGHT]
"""

import asyncio
import csv
import datetime
import json
import pathlib
import subprocess
import sys

import aiohttp
import pyarrow
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/dist/superoffice-export"
TYPES = {
    "BIGINT": pyarrow.int64(),
    "DOUBLE": pyarrow.float64(),
    "BOOLEAN": pyarrow.bool_(),
    "VARCHAR": pyarrow.string(),
    "TIMESTAMP WITH TIME ZONE": pyarrow.timestamp("us", "UTC"),
    "DATE": pyarrow.date32(),
}
ZONE = {"SO-TimeZone": "UTC,includeTZOffset"}
UNKNOWN = datetime.date(1760, 12, 31)


def value(item, path, kind):
    for name in path:
        item = item.get(name) if item else None
    if item is None:
        return None
    if kind == "TIMESTAMP WITH TIME ZONE":
        instant = datetime.datetime.fromisoformat(item)
        return None if instant.date() <= UNKNOWN else instant.astimezone(datetime.timezone.utc)
    if kind == "DATE":
        day = datetime.date.fromisoformat(item[:10])
        return None if day <= UNKNOWN else day
    return item


class Table:
    """The rows of one table, flushed to Parquet in batches."""

    def __init__(self, declaration, folder):
        self.member = declaration["member"]
        self.columns = [(c["name"], c["member"] and c["member"].split("/"), c["type"]) for c in declaration["columns"]]
        self.schema = pyarrow.schema([(name, TYPES[kind]) for name, _, kind in self.columns])
        self.writer = pyarrow.parquet.ParquetWriter(folder / f"{declaration['name']}.parquet", self.schema, compression="zstd")
        self.cells = [[] for _ in self.columns]

    def add(self, contact_id, summary):
        items = summary.get(self.member)
        for position, item in enumerate(items if isinstance(items, list) else [items], 1):
            if item is None:
                continue
            for cells, (name, path, kind) in zip(self.cells, self.columns):
                if path:
                    cells.append(value(item, path, kind))
                else:
                    cells.append({"contact_id": contact_id, "position": position}.get(name))
        if len(self.cells[0]) >= 50_000:
            self.flush()

    def flush(self):
        self.writer.write_table(pyarrow.table(self.cells, schema=self.schema))
        self.cells = [[] for _ in self.columns]


async def main(base_url, ids, folder, in_flight):
    folder = pathlib.Path(folder)
    folder.mkdir()
    declared = json.loads(subprocess.check_output([PROGRAM, "tables", "--format", "json"]))
    tables = [Table(table, folder) for table in declared["tables"] if table["member"]]
    url = f"{base_url}/api/v1/Agents/Contact/GetContactSummary"
    queue = asyncio.Queue(maxsize=10 * in_flight)

    async def worker(session):
        while (contact_id := await queue.get()) is not None:
            async with session.post(url, headers=ZONE, json={"ContactId": contact_id, "Limit": 100}) as response:
                response.raise_for_status()
                summary = await response.json()
            if summary:
                for table in tables:
                    table.add(contact_id, summary)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:
        workers = [asyncio.create_task(worker(session)) for _ in range(in_flight)]
        with open(ids, newline="") as file:
            for row in csv.DictReader(file):
                await queue.put(int(row["contactId"]))
        for _ in workers:
            await queue.put(None)
        await asyncio.gather(*workers)
    for table in tables:
        table.flush()
        table.writer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 32))
