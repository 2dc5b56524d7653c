"""Reads an Isobar lake by its format alone (lake-format.md): committed files only, every checksum verified.

    python docs/read_lake.py <lake>/<dataset>            the newest standing revision of each observation, as JSON lines
    python docs/read_lake.py <lake>/<dataset> --count    how many there are, as one JSON object

Python 3.9 or later; Parquet files need pyarrow.
"""

import hashlib
import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

FORMAT = 3
SEAL = ',"sha256":"'
# The columns that a JSON line always has. Any other is left out where it is null, also one that a later version adds.
ALWAYS = (
    *("timestamp", "city", "temperature", "humidity", "pressure", "wind_speed", "rainfall"),
    *("weather_main", "weather_description", "source", "log_offset", "ingested_at"),
)


class Damaged(Exception):
    """What is committed is missing or not what its checksum says."""


class Gone(Exception):
    """A listed entry or a live file is not there any more: fold again."""


def read(root, path):
    try:
        return (root / path).read_bytes()
    except FileNotFoundError:
        raise Gone(path) from None


def read_entry(root, path):
    """One entry of a chain, with its checksum verified."""
    text = read(root, path).decode("utf-8")
    entry = json.loads(text)
    if entry["format"] > FORMAT:
        raise Damaged(f"{path} has format {entry['format']}, this program reads up to {FORMAT}")
    body = text[: text.rfind(SEAL)] + "}"
    if text != f'{body[:-1]}{SEAL}{hashlib.sha256(body.encode("utf-8")).hexdigest()}"}}\n':
        raise Damaged(f"{path} is not what its checksum says")
    return entry


def fold(root, folder):
    """What one partition's chain says is committed: live files, files of rejected records, retractions, counts, next offset."""
    names = [path.name for path in (root / folder).iterdir() if re.fullmatch(r"\d{12}\.json", path.name)]
    entries = []
    for sequence in range(max((int(name[:12]) for name in names), default=0), 0, -1):
        entry = read_entry(root, f"{folder}/{sequence:012d}.json")
        entries.insert(0, (sequence, entry))
        if entry["kind"] == "checkpoint":
            break
    state = {"live": {}, "rejected": [], "retractions": [], "next": None}
    state["counts"] = {"rows": 0, "duplicates": 0, "rejected": 0}
    claim = previous = None
    for sequence, entry in entries:
        where, kind = f"entry {sequence} of {folder}", entry["kind"]
        if kind == "checkpoint":
            live = {file["path"]: file for file in entry["live"]}
            state = {"live": live, "rejected": entry["rejected"], "retractions": entry.get("retractions", [])}
            state.update(counts=entry["counts"], next=entry["next"])
            claim = entry["claim"] and entry["claim"]["id"]
        elif entry["prev"] != previous:
            raise Damaged(f"{where} names another predecessor")
        elif kind == "claim":
            claim = entry["id"]
            if state["next"] is None:
                state["next"] = entry["start"]
        elif kind == "batch":
            if entry["claim"] != claim or entry["first"] != state["next"]:
                raise Damaged(f"{where} does not go on where the one before ended")
            state["live"].update((file["path"], file) for file in entry["files"])
            if entry["rejected"]:
                state["rejected"] = [*state["rejected"], entry["rejected"]]
            state["counts"] = {name: n + entry["counts"][name] for name, n in state["counts"].items()}
            state["next"] = entry["last"] + 1
        elif kind == "compaction":
            for path in entry["inputs"]:
                if state["live"].pop(path, None) is None:
                    raise Damaged(f"{where} replaces {path}, which is not live")
            state["live"][entry["output"]["path"]] = entry["output"]
        elif kind == "retraction":
            if entry["next"] != state["next"]:
                raise Damaged(f"{where} was not made where the one before ended")
            state["retractions"] = [*state["retractions"], entry]
        else:
            raise Damaged(f"{where} is of the unknown kind {kind}")
        previous = entry["id"]
    return state


def fold_all(root):
    """The state of every partition, by its folder. An entry that vanishes under the reader is explained by a new fold."""
    for _ in range(20):
        try:
            folders = sorted(path.relative_to(root).as_posix() for path in root.glob("commits/*/*") if path.is_dir())
            return {folder: fold(root, folder) for folder in folders}
        except Gone as error:
            gone = error
    raise Damaged(f"{gone} is missing")


def iso(moment):
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace(".000", "").replace("+00:00", "Z")


def rows_of(root, file):
    """The rows of a committed file, revisions included, in the form of the JSON lines."""
    data = read(root, file["path"])
    if len(data) != file["bytes"] or hashlib.sha256(data).hexdigest() != file["sha256"]:
        raise Damaged(f"{file['path']} is not what was committed")
    if file["path"].endswith(".jsonl"):
        rows = [json.loads(line) for line in data.decode("utf-8").split("\n") if line]
    else:
        import pyarrow.parquet  # only here: a young lake has no Parquet file

        # Arrow's own reader and this thread alone: a thread of Arrow's that still holds a Python object when the
        # interpreter ends aborts the whole program (apache/arrow issue 34314).
        parquet = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data), pre_buffer=False)
        rows = [
            {
                name: iso(value) if isinstance(value, datetime) else value
                for name, value in row.items()
                if name in ALWAYS or value is not None
            }
            for row in parquet.read(use_threads=False).to_pylist()
        ]
    if len(rows) != file["rows"]:
        raise Damaged(f"{file['path']} has {len(rows)} rows, {file['rows']} were committed")
    return rows


def is_retracted(row, retractions):
    """Whether a row of a partition counts no more."""
    return any(one["source"] == row["source"] and one["first"] <= row["log_offset"] <= one["last"] for one in retractions)


def newest_of(root, files):
    """The newest standing revision of each observation in files that hold one whole day, in order."""
    newest = {}
    for file, retractions in files:
        for row in rows_of(root, file):
            if is_retracted(row, retractions):
                continue
            identity = (row["source"], row["city"], row["timestamp"])
            if identity not in newest or newest[identity]["log_offset"] < row["log_offset"]:
                newest[identity] = row
    return sorted(newest.values(), key=lambda row: (row["timestamp"], row["city"], row["source"]))


def newest_rows(root, states):
    """The newest standing revision of every observation, day by day. A file that is gone is explained by a new fold."""
    done = set()
    while True:
        days = {}
        for state in states.values():
            for path, file in state["live"].items():
                day = re.match(r"observations/date=([0-9-]{10})/", path)[1]
                days.setdefault(day, []).append((file, state["retractions"]))
        try:
            for day in sorted(days.keys() - done):
                rows = newest_of(root, days[day])
                done.add(day)
                yield from rows
            return
        except Gone as error:
            gone = error.args[0]
            states = fold_all(root)
            if any(gone in state["live"] for state in states.values()):
                raise Damaged(f"{gone} is committed, and gone") from None


def main(arguments):
    roots = [argument for argument in arguments if argument != "--count"]
    if len(roots) != 1 or not (Path(roots[0]) / "dataset.json").is_file():
        sys.exit(f"{__doc__}\nWanted the folder of one data set: the one that holds dataset.json.")
    root = Path(roots[0])
    states = fold_all(root)
    if "--count" not in arguments:
        for row in newest_rows(root, states):
            print(json.dumps(row, ensure_ascii=False))
        return
    partitions = {
        folder.removeprefix("commits/"): {"next": state["next"], "files": len(state["live"]), **state["counts"]}
        for folder, state in states.items()
    }
    observations = sum(1 for _ in newest_rows(root, states))
    print(json.dumps({"observations": observations, "partitions": partitions}))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Damaged as error:
        sys.exit(f"Cannot read the lake: {error}")
