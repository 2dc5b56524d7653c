import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * A plain Spark application, for the benchmark to measure beside the engine: the same SQL over the same files, without Spark
 * Connect. Run from source: `java -cp "jars/*" PlainSpark.java SCHEMA PATHS`, PATHS being a file of paths. Each line of the
 * input is a job, SQL-FILE,HOURS (HOURS may be empty); each is answered by a line with the seconds it took.
 */
public final class PlainSpark {
  public static void main(String[] args) throws Exception {
    SparkSession spark = SparkSession.builder().master("local[2]").appName("plain").getOrCreate();
    String[] paths = Files.readAllLines(Path.of(args[1])).toArray(new String[0]);
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      String[] job = line.split(",", -1);
      String sql = Files.readString(Path.of(job[0]));
      Map<String, Object> arguments = new HashMap<>();
      if (!job[1].isEmpty()) arguments.put("hours", Integer.valueOf(job[1]));
      long start = System.nanoTime();
      spark.read().schema(args[0]).parquet(paths).createOrReplaceTempView("observations");
      List<?> rows = spark.sql(sql, arguments).collectAsList();
      System.out.println((System.nanoTime() - start) / 1e9);
      if (rows.isEmpty()) throw new IllegalStateException("no rows");
    }
    spark.stop();
  }
}
