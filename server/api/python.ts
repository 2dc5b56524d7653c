/** Examples of reading the API from Python: purpose, required package, and program. A test runs each of them. */
export const PYTHON_EXAMPLES = [
  {
    title: "Into Arrow, as the answer comes in",
    needs: "pyarrow",
    code: `import urllib.request
import pyarrow as pa

url = "http://localhost:3000/api/v1/observations?limit=1000000&format=arrow"
with urllib.request.urlopen(url) as answer:
    table = pa.ipc.open_stream(answer).read_all()
print(table.num_rows, "rows of the data set", table.schema.metadata[b"dataset"].decode())
print(table.select(["timestamp", "city", "temperature"]).slice(0, 5))`,
  },
  {
    title: "Into a data frame",
    needs: "polars",
    code: `import urllib.request
import polars as pl

url = "http://localhost:3000/api/v1/observations?limit=1000000&format=csv"
with urllib.request.urlopen(url) as answer:
    rows = pl.read_csv(answer.read(), try_parse_dates=True, infer_schema_length=None)
good = rows.filter(pl.col("temperature_flag") < 4)
print(good.group_by("city").agg(pl.len().alias("n"), pl.col("temperature").mean()).sort("city"))`,
  },
  {
    title: "With SQL",
    needs: "duckdb",
    code: `import urllib.request
import duckdb
import pyarrow as pa

url = "http://localhost:3000/api/v1/observations?limit=1000000&format=arrow"
with urllib.request.urlopen(url) as answer:
    observations = pa.ipc.open_stream(answer).read_all()
print(duckdb.sql("SELECT city, count(*) AS n, max(temperature) FROM observations GROUP BY city ORDER BY city"))`,
  },
  {
    title: "What is new, pulled again and again; only the last `next` has to be kept",
    needs: "json",
    code: `import json
import urllib.request

path = "/api/v1/observations?since=begin&limit=10000"
more = True
count = 0
while more:
    with urllib.request.urlopen("http://localhost:3000" + path) as answer:
        pull = json.load(answer)
    count += len(pull["rows"])
    path, more = pull["next"], pull["more"]
print(count, "rows; the next pull is", path)`,
  },
] as const;
