#!/usr/bin/env python3
"""Makes packages.sqlite and packages.sqlite-wal here: rpm's table of packages with small pages, so that its tree has
branches, and with a log that is not moved into it. The log says at its first commit that p 2 came, at its second that
p 1 went, at its third that p 2 went too; behind that is what was not committed. The headers are rpm's own: of p.spec by rpmbuild 4.18, installed, and
read out of its database. Prints how long the log was after each commit."""
import os, shutil, sqlite3, tempfile

here = os.path.dirname(os.path.abspath(__file__))
header = {v: open(f"{here}/p-{v}.header", "rb").read() for v in (1, 2)}
folder = tempfile.mkdtemp()
database = folder + "/packages.sqlite"
c = sqlite3.connect(database, isolation_level=None)
c.execute("PRAGMA page_size = 512")
c.execute("PRAGMA journal_mode = WAL")
c.execute("PRAGMA wal_autocheckpoint = 0")
c.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
for name in ("Name", "Basenames", "Group", "Requirename", "Providename", "Dirnames"):
    c.execute(f"CREATE TABLE '{name}' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
insert = "INSERT INTO Packages (blob) VALUES (?)"
for number in range(1, 61):
    c.execute(insert, (header[1] if number == 7 else bytes(number * 3),))
c.execute("PRAGMA wal_checkpoint = TRUNCATE")
log = database + "-wal"
c.execute(insert, (header[2],))
print("p 2 came", os.path.getsize(log))
c.execute("DELETE FROM Packages WHERE hnum = 7")
print("p 1 went", os.path.getsize(log))
c.execute("DELETE FROM Packages WHERE hnum = 61")
print("p 2 went", os.path.getsize(log))
c.execute("PRAGMA cache_size = 2")
c.execute("BEGIN")
c.execute("DELETE FROM Packages WHERE hnum > 30")
print("not committed", os.path.getsize(log))
for name in ("packages.sqlite", "packages.sqlite-wal"):
    shutil.copy(f"{folder}/{name}", here)
