import { createServer, type Socket } from "node:net";

/** An e-mail as the server took it. */
export interface TakenEmail {
  from: string;
  to: string[];
  /** User and password, where they were sent. */
  login: string | null;
  /** Headers and body. */
  text: string;
}

/** An SMTP server on loopback (RFC 5321, with AUTH PLAIN of RFC 4954) that keeps what it takes. */
export interface TestSmtpServer extends AsyncDisposable {
  port: number;
  taken: TakenEmail[];
  /** Resolves when the next e-mail is taken. */
  next(): Promise<TakenEmail>;
}

/**
 * Starts the server.
 *
 * @param options.refuse answers the next recipients with this reply
 */
export async function startSmtp(options: { refuse?: string } = {}): Promise<TestSmtpServer> {
  const taken: TakenEmail[] = [];
  const sockets = new Set<Socket>();
  let arrival = Promise.withResolvers<TakenEmail>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let pending = "";
    let isData = false;
    let email: TakenEmail = { from: "", to: [], login: null, text: "" };
    const say = (line: string) => socket.write(`${line}\r\n`);
    const command = (line: string) => {
      const [verb = ""] = line.toUpperCase().split(" ");
      if (verb === "EHLO") return say("250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME");
      if (verb === "AUTH") {
        email.login = Buffer.from(line.split(" ")[2] ?? "", "base64")
          .toString()
          .split("\0")
          .slice(1)
          .join(":");
        return say("235 welcome");
      }
      if (verb === "MAIL") email.from = /<(.*?)>/.exec(line)?.[1] ?? "";
      if (verb === "RCPT") {
        if (options.refuse !== undefined) return say(options.refuse);
        email.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
      }
      if (verb === "DATA") {
        isData = true;
        return say("354 go on");
      }
      if (verb === "QUIT") {
        say("221 bye");
        return socket.end();
      }
      say("250 fine");
    };
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString();
      for (;;) {
        const end = pending.indexOf(isData ? "\r\n.\r\n" : "\r\n");
        if (end === -1) return;
        const text = pending.slice(0, end);
        pending = pending.slice(end + (isData ? 5 : 2));
        if (!isData) {
          command(text);
          continue;
        }
        isData = false;
        const full = { ...email, text };
        email = { from: "", to: [], login: email.login, text: "" };
        taken.push(full);
        say("250 taken");
        arrival.resolve(full);
        arrival = Promise.withResolvers();
      }
    });
    say("220 test ESMTP");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("wanted a port");
  return {
    port: address.port,
    taken,
    next: () => arrival.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
