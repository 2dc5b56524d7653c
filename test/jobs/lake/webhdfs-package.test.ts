import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { WebHdfsError } from "../../../jobs/lake/webhdfs-error.ts";
import { PackageClient } from "../../../jobs/lake/webhdfs-package.ts";

/** What the package asked for last. */
let asked: { method: string; path: string; parameters: Record<string, string> };
/** What it is answered. */
let answer: () => Response | Promise<Response>;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    asked = { method: request.method, path: pathname, parameters: Object.fromEntries(searchParams) };
    return answer();
  },
});
afterAll(() => server.stop(true));

const nameNode = new URL("/webhdfs/v1", server.url);
const client = new PackageClient({ user: "weather" });
let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});

const calls = {
  mkdir: () => client.mkdir(nameNode, "/a/b", stop.signal),
  stat: () => client.stat(nameNode, "/a/b", stop.signal),
  unlink: () => client.unlink(nameNode, "/a/b", stop.signal),
};

async function failure(call: Promise<unknown>): Promise<WebHdfsError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WebHdfsError);
  return error as WebHdfsError;
}

describe("PackageClient", () => {
  test("asks for MKDIRS, GETFILESTATUS and DELETE as the REST API names them", async () => {
    answer = () => Response.json({ boolean: true });
    await calls.mkdir();
    const user = { "user.name": "weather" };
    const path = "/webhdfs/v1/a/b";
    expect(asked).toEqual({ method: "PUT", path, parameters: { op: "mkdirs", permission: "0755", ...user } });
    await calls.unlink();
    expect(asked).toEqual({
      method: "DELETE",
      path,
      parameters: { op: "delete", recursive: "false", ...user },
    });
    const status = { pathSuffix: "", type: "FILE", length: 18, modificationTime: 1 };
    answer = () => Response.json({ FileStatus: status });
    expect(await calls.stat()).toEqual(status as Awaited<ReturnType<typeof calls.stat>>);
    expect(asked).toEqual({ method: "GET", path, parameters: { op: "getfilestatus", ...user } });
  });

  for (const [name, call] of Object.entries(calls)) {
    test(`${name}() rejects with the class and the status of a refusal`, async () => {
      const body = { RemoteException: { exception: "SafeModeException", message: "not now\n\tat a.b.C" } };
      answer = () => Response.json(body, { status: 403 });
      const error = await failure(call());
      expect(error.message).toBe("SafeModeException: not now");
      expect(error).toMatchObject({ exception: "SafeModeException", status: 403, harmless: true });
      answer = () => new Response("", { status: 503 });
      expect(await failure(call())).toMatchObject({ exception: null, status: 503, harmless: false });
    });

    test(`${name}() takes no answer for a success that is no JSON object`, async () => {
      for (const body of ["", "null", "<html>Log in first</html>", "true"]) {
        answer = () => new Response(body);
        expect((await failure(call())).message).toContain("something else than JSON");
      }
    });

    test(`${name}() ends with its signal, under way and before it began`, async () => {
      const arrived = Promise.withResolvers<void>();
      answer = () => {
        arrived.resolve();
        return new Promise<Response>(() => {});
      };
      const failed = failure(call());
      await arrived.promise;
      stop.abort();
      expect((await failed).message).toContain("did not answer in time");
      expect((await failure(call())).message).toContain("did not answer in time");
    });
  }

  test("says of a refused connection that it surely changed nothing", async () => {
    const closed = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const nowhere = new URL("/webhdfs/v1", closed.url);
    await closed.stop(true);
    expect(await failure(client.mkdir(nowhere, "/a", stop.signal))).toMatchObject({
      status: null,
      harmless: true,
    });
  });
});
