"""Runs table.sql and queries.sql in an embedded ClickHouse (pip install chdb) on the log named as argument.

Fails where a query does, where a line is missing, or where a line comes back other than it was.
"""

import pathlib
import sys

from chdb import session

here = pathlib.Path(__file__).parent
log = pathlib.Path(sys.argv[1])
database = session.Session()


def statements(name):
    text = "\n".join(line for line in (here / name).read_text().splitlines() if not line.startswith("--"))
    return [statement.strip() for statement in text.split(";") if statement.strip()]


for statement in statements("table.sql"):
    database.query(statement)
# twice: a shipper may send lines again
for _ in range(2):
    database.query(f"INSERT INTO fim_lines SELECT line FROM file('{log.resolve()}', 'LineAsString')")
lines = set(log.read_text().splitlines())
count = int(database.query("SELECT count() FROM fim FINAL", "CSV").bytes().decode().strip())
assert count == len(lines), f"{count} lines, not {len(lines)}"
back = database.query("SELECT DISTINCT line FROM fim", "TSVRaw").bytes().decode().splitlines()
assert set(back) == lines, "a line is not as it was"
for statement in statements("queries.sql"):
    said = database.query(statement, "CSV").bytes().decode().splitlines()
    print(f"{len(said):6} rows: {' '.join(statement.split())[:90]}")
