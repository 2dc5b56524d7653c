import static org.apache.spark.sql.functions.col;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A plain Spark SQL session over files of rows, without anything of the program: what an outside reader would write. Run from
 * source: `java -cp "jars/*" PlainSql.java PATHS SQL`, both files: a path a line, and one SELECT over the view `rows`, which has
 * every row of them. Prints each row of the result as a line of JSON.
 */
public final class PlainSql {
  public static void main(String[] args) throws Exception {
    List<String> paths = Files.readAllLines(Path.of(args[0]));
    String sql = Files.readString(Path.of(args[1]));
    SparkSession spark = SparkSession.builder().master("local[2]").appName("plain").getOrCreate();
    String[] lines = paths.stream().filter(path -> path.endsWith(".jsonl")).toArray(String[]::new);
    String[] parquet = paths.stream().filter(path -> path.endsWith(".parquet")).toArray(String[]::new);
    if (lines.length + parquet.length != paths.size()) throw new IllegalArgumentException("wanted .jsonl and .parquet");
    Dataset<Row> rows = null;
    // The folders date=… and hour=… are not to become columns: a day's file has no hour.
    if (parquet.length > 0) rows = spark.read().option("recursiveFileLookup", true).parquet(parquet);
    if (lines.length > 0) {
      Dataset<Row> read = spark.read().option("recursiveFileLookup", true).json(lines);
      for (String time : List.of("timestamp", "ingested_at")) read = read.withColumn(time, col(time).cast("timestamp"));
      rows = rows == null ? read : rows.unionByName(read, true);
    }
    rows.createOrReplaceTempView("rows");
    for (String row : spark.sql(sql).toJSON().collectAsList()) System.out.println(row);
    spark.stop();
  }
}
