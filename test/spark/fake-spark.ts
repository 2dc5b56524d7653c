import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { type Table, tableToIPC } from "apache-arrow";
import { ErrorInfoSchema, StatusSchema } from "../../spark/connect/rpc_status_pb.ts";
import {
  type ExecutePlanRequest,
  type ExecutePlanResponseSchema,
  type Plan,
  SparkConnectService,
} from "../../spark/connect/spark_connect_pb.ts";

type Answer = MessageInitShape<typeof ExecutePlanResponseSchema>;
type Answers = ServerWritableStream<unknown, Answer>;

/** A call that arrived: its method, what it asked, and the token it came with. */
export interface Call {
  method: string;
  request: Record<string, unknown>;
  authorization: string | undefined;
}

/** What a fake server does with a call. What is left out succeeds with nothing. */
export interface Script {
  /** Runs a plan. */
  executePlan?: (request: ExecutePlanRequest, answers: FakeStream) => void | Promise<void>;
  /** Goes on with an operation, after the response of that id. */
  reattachExecute?: (
    last: string | undefined,
    answers: FakeStream,
    operationId: string,
  ) => void | Promise<void>;
  /** Answers the others: throw what {@link sparkError} makes to fail. */
  unary?: (method: string, request: Record<string, unknown>) => Record<string, unknown> | undefined;
}

/** A stream of answers to one call. */
export class FakeStream {
  readonly #call: Answers;
  readonly #id: string;
  /** Resolves when the client went away. */
  readonly cancelled: Promise<void>;
  #sent = 0;

  constructor(call: Answers, id: string, from: number) {
    this.#call = call;
    this.#id = id;
    this.#sent = from;
    this.cancelled = new Promise((resolve) => call.on("cancelled", () => resolve()));
  }

  /** Sends a part of the result. */
  batch(table: Table): this {
    const value = { rowCount: BigInt(table.numRows), data: tableToIPC(table, "stream") };
    return this.#send({ case: "arrowBatch", value });
  }

  /** Tells how many tasks of one stage are done. */
  progress(done: number, of: number): this {
    const stages = [{ numTasks: BigInt(of), numCompletedTasks: BigInt(done) }];
    return this.#send({ case: "executionProgress", value: { stages } });
  }

  /** Says that this was all, and ends. */
  complete(): void {
    this.#send({ case: "resultComplete", value: {} });
    this.#call.end();
  }

  /** Ends without a word. */
  end(): void {
    this.#call.end();
  }

  /** Fails. */
  fail(error: object): void {
    this.#call.emit("error", error);
  }

  #send(responseType: NonNullable<Answer["responseType"]>): this {
    this.#call.write({
      responseId: `response-${++this.#sent}`,
      serverSideSessionId: this.#id,
      responseType,
    } as Answer);
    return this;
  }
}

/** A failure as Spark sends it. */
export function sparkError(
  code: number,
  details: string,
  facts: { errorClass?: string; sqlState?: string; errorId?: string } = {},
): object {
  const metadata = new Metadata();
  if (Object.keys(facts).length > 0) {
    const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { metadata: { ...facts } }));
    const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message: details, details: [info] }));
    metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  }
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The connection breaks. */
export const broken = (): object => sparkError(status.UNAVAILABLE, "Connection dropped");
/** Spark does not know what it is asked about. */
export const lost = (what: "OPERATION_NOT_FOUND" | "SESSION_NOT_FOUND" | "SESSION_CHANGED"): object =>
  sparkError(status.INTERNAL, `[INVALID_HANDLE.${what}] The handle is invalid.`, {
    errorClass: `INVALID_HANDLE.${what}`,
    sqlState: "HY000",
  });

/** A Spark Connect server that does what a script says, on a port of loopback. */
export class FakeSpark {
  readonly calls: Call[] = [];
  script: Script = {};
  /** The id of the server's own: another one after a restart. */
  serverSide = "server-1";
  readonly #server = new Server();
  #port = 0;

  /** Starts one. */
  static async start(): Promise<FakeSpark> {
    const fake = new FakeSpark();
    const service: Record<string, MethodDefinition<unknown, unknown>> = {};
    const handlers: Record<string, (...args: never[]) => void> = {};
    for (const method of SparkConnectService.methods) {
      service[method.name] = definitionOf(method);
      handlers[method.name] =
        method.methodKind === "unary"
          ? fake.#unary(method)
          : (fake.#stream(method) as (...args: never[]) => void);
    }
    fake.#server.addService(service, handlers as never);
    fake.#port = await new Promise((resolve, reject) =>
      fake.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
    return fake;
  }

  get remote(): string {
    return `sc://127.0.0.1:${this.#port}`;
  }

  /** The calls of a method, oldest first. */
  callsOf(method: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map(({ request }) => request);
  }

  /** Ends it. */
  stop(): void {
    this.#server.forceShutdown();
  }

  #note(method: DescMethod, call: { request: unknown; metadata: Metadata }): Record<string, unknown> {
    const request = call.request as Record<string, unknown>;
    const [token] = call.metadata.get("authorization");
    this.calls.push({ method: method.localName, request, authorization: token?.toString() });
    return request;
  }

  #unary(method: DescMethod) {
    return (
      call: ServerUnaryCall<unknown, unknown>,
      callback: (error: object | null, answer?: unknown) => void,
    ): void => {
      const request = this.#note(method, call);
      try {
        const answer = this.script.unary?.(method.localName, request) ?? this.#usual(method.localName);
        callback(null, answer);
      } catch (error) {
        callback(error as object);
      }
    };
  }

  #usual(method: string): Record<string, unknown> {
    const serverSideSessionId = this.serverSide;
    if (method === "analyzePlan") {
      return { serverSideSessionId, result: { case: "sparkVersion", value: { version: "4.0.0" } } };
    }
    if (method === "interrupt") return { interruptedIds: ["one"] };
    return { serverSideSessionId };
  }

  #stream(method: DescMethod) {
    return (call: Answers): void => {
      const request = this.#note(method, call);
      const last = request.lastResponseId as string | undefined;
      const answers = new FakeStream(call, this.serverSide, Number(/\d+$/.exec(last ?? "0")?.[0]));
      const { executePlan, reattachExecute } = this.script;
      if (method.localName === "executePlan") {
        if (executePlan === undefined) answers.complete();
        else void executePlan(request as unknown as ExecutePlanRequest, answers);
      } else if (reattachExecute === undefined) answers.fail(lost("OPERATION_NOT_FOUND"));
      else void reattachExecute(last, answers, String(request.operationId));
    };
  }
}

/** What a plan is about: the view it makes, the command or the query it runs. */
export function subjectOf(plan: Plan | undefined): { kind: "view" | "command" | "query"; sql: string } {
  const op = plan?.opType;
  const command = op?.case === "command" ? op.value.commandType : undefined;
  const kind = command?.case === "createDataframeView" ? "view" : command === undefined ? "query" : "command";
  const relation = op?.case === "root" ? op.value : command?.value?.input;
  const inner =
    relation?.relType.case === "withRelations" ? relation.relType.value.root?.relType : relation?.relType;
  return { kind, sql: inner?.case === "sql" ? inner.value.query : "" };
}

function definitionOf(method: DescMethod): MethodDefinition<unknown, unknown> {
  const { input, output } = method as { input: DescMessage; output: DescMessage };
  return {
    path: `/${SparkConnectService.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestSerialize: (value) =>
      Buffer.from(toBinary(input, create(input, value as Record<string, unknown>))),
    requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
    responseSerialize: (value) =>
      Buffer.from(toBinary(output, create(output, value as Record<string, unknown>))),
    responseDeserialize: (bytes: Buffer) => fromBinary(output, bytes),
  };
}
