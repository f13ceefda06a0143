#!/usr/bin/env python3
"""End-to-end benchmark: the packaged program against `superoffice-export sandbox` in its own process.

Prints, for each number of contacts: contacts/s of the whole run and of fetching alone, CPU per contact of the exporter, peak memory.

    cargo build --profile dist && python3 tests/bench/end_to_end.py 10000 100000
    python3 tests/bench/end_to_end.py --latency 50ms --in-flight 64 20000      # bound by latency
    python3 tests/bench/end_to_end.py --script 10000                           # against an asyncio script, too

The script needs `pip install aiohttp pyarrow`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/dist/superoffice-export"


def measure(command):
    """Seconds, CPU seconds and peak MiB of a command."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(errors.decode())
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("contacts", type=int, nargs="+")
    parser.add_argument("--latency", default="0s")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--format", default="parquet")
    parser.add_argument("--script", action="store_true", help="measure asyncio_export.py as well")
    options = parser.parse_args()

    sandbox = subprocess.Popen([PROGRAM, "sandbox", "--port", "0", "--latency", options.latency], stdout=subprocess.PIPE, text=True)
    try:
        base_url = sandbox.stdout.readline().strip()
        for contacts in options.contacts:
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                ids = folder / "ids.csv"
                # Line by line: the peak of a child includes that of this script, from which it was forked.
                with ids.open("w") as file:
                    file.write("contactId\n")
                    file.writelines(f"{number}\n" for number in range(1, contacts + 1))
                job = folder / "job.toml"
                job.write_text(
                    f'[source]\npath = "ids.csv"\n[api]\nbase_url = "{base_url}"\n'
                    f'[fetch]\nmax_in_flight = {options.in_flight}\n[output]\ndir = "out"\nformat = "{options.format}"\n'
                )
                seconds, cpu, peak = measure([PROGRAM, "run", job, "--progress", "none"])
                fetch = json.loads((folder / "out/latest/manifest.json").read_text())["fetch"]["contacts_per_second"]
                print(
                    f"{contacts:>9} contacts: {contacts / seconds:8.0f}/s, fetching alone {fetch:8.0f}/s, "
                    f"{cpu / contacts * 1e6:6.1f} µs CPU per contact, peak {peak:6.1f} MiB"
                )
                if options.script:
                    script = [sys.executable, ROOT / "tests/bench/asyncio_export.py", base_url, ids, folder / "script"]
                    script_seconds, script_cpu, script_peak = measure([*script, str(options.in_flight)])
                    print(
                        f"   asyncio script: {contacts / script_seconds:8.0f}/s, {script_cpu / contacts * 1e6:6.1f} µs CPU per contact, "
                        f"peak {script_peak:6.1f} MiB; ratio {script_seconds / seconds:.1f}"
                    )
    finally:
        sandbox.terminate()
        sandbox.wait()


if __name__ == "__main__":
    main()
