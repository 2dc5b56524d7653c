import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * A plain Spark application, for the benchmark to measure beside the engine: the same SQL over the same files, without Spark
 * Connect. Run from source: `java -cp "jars/*" PlainSpark.java SCHEMA PATHS ROUNDS JOB...`, a job being NAME,SQL-FILE,HOURS
 * (HOURS may be empty). Prints one line a job and round: NAME, rows, seconds.
 */
public final class PlainSpark {
  public static void main(String[] args) throws Exception {
    SparkSession spark = SparkSession.builder().master("local[2]").appName("plain").getOrCreate();
    List<String> paths = Files.readAllLines(Path.of(args[1]));
    int rounds = Integer.parseInt(args[2]);
    for (int round = 0; round < rounds; round++) {
      for (int i = 3; i < args.length; i++) {
        String[] job = args[i].split(",", -1);
        String sql = Files.readString(Path.of(job[1]));
        Map<String, Object> arguments = new HashMap<>();
        if (!job[2].isEmpty()) arguments.put("hours", Integer.valueOf(job[2]));
        long start = System.nanoTime();
        spark.read().schema(args[0]).parquet(paths.toArray(new String[0])).createOrReplaceTempView("observations");
        int rows = spark.sql(sql, arguments).collectAsList().size();
        System.out.printf("%s %d %.4f%n", job[0], rows, (System.nanoTime() - start) / 1e9);
      }
    }
    spark.stop();
  }
}
