import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status } from "@grpc/grpc-js";
import { EngineError, messageOf } from "../../core/errors.ts";
import { ErrorInfoSchema, StatusSchema } from "./rpc_status_pb.ts";
import type { FetchErrorDetailsResponse } from "./spark_connect_pb.ts";

/** What Spark reports about an error. */
interface Facts {
  /** Spark's error class, such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`; null if it has none. */
  errorClass: string | null;
  /** SQLSTATE: five characters of the SQL standard; null if it has none. */
  sqlState: string | null;
  /** Id with which the details can be fetched; null if there are none. */
  errorId: string | null;
}

/** A call to Spark that failed: what {@link ./rpc.ts Rpc} throws. Callers of the engine see an EngineError. */
export class SparkFailure extends Error implements Facts {
  /** gRPC status code. */
  readonly code: number;
  readonly errorClass: string | null;
  readonly sqlState: string | null;
  readonly errorId: string | null;

  constructor(code: number, message: string, facts: Facts, cause: unknown) {
    super(message, { cause });
    this.name = "SparkFailure";
    this.code = code;
    this.errorClass = facts.errorClass;
    this.sqlState = facts.sqlState;
    this.errorId = facts.errorId;
  }

  /** Converts an error of grpc-js. */
  static of(error: ServiceError): SparkFailure {
    const facts: Facts = { errorClass: null, sqlState: null, errorId: null };
    const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
    if (bytes instanceof Uint8Array) {
      for (const detail of fromBinary(StatusSchema, bytes).details) {
        const metadata = anyUnpack(detail, ErrorInfoSchema)?.metadata;
        if (metadata === undefined) continue;
        facts.errorClass = metadata.errorClass ?? null;
        facts.sqlState = metadata.sqlState ?? null;
        facts.errorId = metadata.errorId ?? null;
      }
    }
    return new SparkFailure(error.code, error.details || error.message, facts, error);
  }

  /** Whether the connection failed and not the call, so that the call may be retried. */
  get isTransient(): boolean {
    // The server reports this for an old stream that our own new stream replaced.
    if (this.errorClass !== null) return this.errorClass === "INVALID_CURSOR.DISCONNECTED";
    return (
      this.code === status.UNAVAILABLE ||
      // INTERNAL is also what the server says of its own faults: only grpc-js's words tell a stream that was cut off.
      (this.code === status.INTERNAL && /RST_STREAM|GOAWAY/.test(this.message)) ||
      // grpc-js's message for HTTP/2's ENHANCE_YOUR_CALM: too many pings while the server sent nothing. grpc-js doubles the
      // ping interval of the next connection.
      (this.code === status.RESOURCE_EXHAUSTED && this.message.startsWith("Bandwidth exhausted"))
    );
  }

  /** Whether the server rejects the token or requires one. */
  get isRefused(): boolean {
    const { errorClass, code } = this;
    return errorClass === null && (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED);
  }

  /** Whether the cause is a file that is missing, truncated or corrupt. */
  get isAboutFiles(): boolean {
    return FILES.test(this.errorClass ?? "");
  }

  /** Whether the server does not know the operation that was asked for. */
  get isUnknownOperation(): boolean {
    return (
      this.errorClass === "INVALID_HANDLE.OPERATION_NOT_FOUND" ||
      this.errorClass === "INVALID_HANDLE.SESSION_NOT_FOUND"
    );
  }

  /** Whether the server no longer knows the session or its operation: it restarted, or the session timed out. */
  get isLost(): boolean {
    return this.errorClass?.startsWith("INVALID_HANDLE.") === true;
  }

  /**
   * The same failure with the message of the most specific cause: "File does not exist" instead of "Job aborted".
   *
   * @param details the server's answer for its `errorId`
   */
  withDetails(details: FetchErrorDetailsResponse): SparkFailure {
    const named = details.errors.filter(({ sparkThrowable }) => sparkThrowable?.errorClass !== undefined);
    const telling =
      details.errors.find(({ message, errorTypeHierarchy }) =>
        MEMORY.test(`${errorTypeHierarchy.join()} ${message}`),
      ) ??
      named.find(({ sparkThrowable }) => FILES.test(sparkThrowable?.errorClass ?? "")) ??
      named.at(-1) ??
      details.errors[0];
    const facts = {
      errorClass: telling?.sparkThrowable?.errorClass ?? this.errorClass,
      sqlState: telling?.sparkThrowable?.sqlState ?? this.sqlState,
      errorId: null,
    };
    return new SparkFailure(this.code, telling?.message ?? this.message, facts, this.cause);
  }
}

/** Error classes of files that are missing, truncated or corrupt. */
const FILES = /^(PATH_NOT_FOUND|FAILED_READ_FILE|MALFORMED_RECORD_IN_PARSING|CANNOT_READ_FILE_FOOTER)\b/;
/** SQLSTATE classes that are not the query's fault: bugs of the server, connections, data sources, resources, handles. */
const TROUBLE = /^(XX|08|KD|53|57|58|HY)/;
const MEMORY = /OutOfMemory|Java heap space|GC overhead limit|UNABLE_TO_ACQUIRE_MEMORY|maxResultSize/;
/** Longest message, characters. */
const MESSAGE_MAX = 2_000;

/**
 * Converts whatever was thrown to the error of the engine port.
 *
 * @param server the server's address, for the message
 * @param signal of the query: once it has aborted the error is `cancelled`
 */
export function engineError(error: unknown, server: string, signal: AbortSignal): EngineError {
  if (error instanceof EngineError) return error;
  if (signal.aborted) return new EngineError("cancelled", "The query was cancelled", { cause: error });
  if (!(error instanceof SparkFailure)) {
    return new EngineError("unavailable", `Cannot use Spark at ${server}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { code, errorClass, sqlState } = error;
  const text = plain(error);
  const options = { cause: error };
  if (error.isRefused) {
    return new EngineError(
      "unavailable",
      `Cannot use Spark at ${server}: it refuses the token, or wants one`,
      {
        ...options,
        hint: "Give the token that the server was started with.",
      },
    );
  }
  if (errorClass === null && code === status.UNAVAILABLE) {
    const why = text.replace(/\s*Resolution note:\s*$/, "");
    return new EngineError("unavailable", `Cannot reach Spark at ${server}: ${why}`, options);
  }
  if (errorClass === "OPERATION_CANCELED") {
    return new EngineError("cancelled", "The query was cancelled on the server", options);
  }
  if (MEMORY.test(error.message)) {
    return new EngineError("out_of_memory", `Cannot run the query: ${text}`, {
      ...options,
      hint: "Give Spark's driver and executors more memory, or ask for less.",
    });
  }
  if (error.isAboutFiles) {
    return new EngineError("unavailable", `Cannot read the files: ${text}`, options);
  }
  const isQuery = sqlState !== null && !TROUBLE.test(sqlState);
  return new EngineError(isQuery ? "bad_query" : "unavailable", `Cannot run the query: ${text}`, options);
}

/** Spark's message without stack traces and plans, and with its error class. */
function plain({ message, errorClass, sqlState }: SparkFailure): string {
  const text = message
    .replace(/\n*(Driver stacktrace:|JVM stacktrace:)[\s\S]*$/, "")
    .replace(/;\n'?[A-Z]\w+\b[^\n]*\n\s*[+:]- [\s\S]*$/, "")
    .replace(/\n\s*(at [\w.$/]+\(|\.\.\. \d+ more)[^\n]*/g, "")
    .trim()
    .slice(0, MESSAGE_MAX);
  const missing = [
    errorClass !== null && !text.includes(errorClass) ? errorClass : "",
    sqlState !== null && !text.includes(sqlState) ? `SQLSTATE ${sqlState}` : "",
  ].filter((part) => part !== "");
  return missing.length === 0 ? text : `[${missing.join(", ")}] ${text}`;
}
