import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/**
 * A plain Spark application, for the benchmark to measure beside the engine: the same SQL over the same files, without Spark
 * Connect. Run from source: `java -cp "jars/*" PlainSpark.java SCHEMA PATHS VIEWS`, PATHS being a file of paths and VIEWS a
 * folder of views by number and name. Each line of the input is a job, SQL-FILE,NAME=VALUE,… with whole numbers or nothing as
 * values; each is answered by a line with the seconds it took.
 */
public final class PlainSpark {
  public static void main(String[] args) throws Exception {
    SparkSession spark = SparkSession.builder().master("local[2]").appName("plain").getOrCreate();
    String[] paths = Files.readAllLines(Path.of(args[1])).toArray(new String[0]);
    List<Path> views;
    try (Stream<Path> files = Files.list(Path.of(args[2]))) {
      views = files.sorted().toList();
    }
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      String[] job = line.split(",", -1);
      String sql = Files.readString(Path.of(job[0]));
      Map<String, Object> arguments = new HashMap<>();
      for (int i = 1; i < job.length; i++) {
        String[] argument = job[i].split("=", 2);
        arguments.put(argument[0], argument[1].isEmpty() ? null : Integer.valueOf(argument[1]));
      }
      long start = System.nanoTime();
      spark.read().schema(args[0]).parquet(paths).createOrReplaceTempView("observations");
      for (Path view : views) {
        String name = view.getFileName().toString().split("[.]")[1];
        spark.sql(Files.readString(view)).createOrReplaceTempView(name);
      }
      List<?> rows = spark.sql(sql, arguments).collectAsList();
      System.out.println((System.nanoTime() - start) / 1e9);
      if (rows.isEmpty()) throw new IllegalStateException("no rows");
    }
    spark.stop();
  }
}
