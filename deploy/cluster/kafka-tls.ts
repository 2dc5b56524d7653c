import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { IsobarError } from "../../core/errors.ts";

/** Certificates of a local Kafka, in PEM. */
export interface Certificates {
  /** The authority that signed the broker's and the client's certificate. */
  ca: string;
  /** An authority that signed neither. */
  otherCa: string;
  /** A client's certificate and key. */
  cert: string;
  key: string;
  /** Files for the broker: its key and certificate in one, and the authority it trusts. */
  brokerPath: string;
  caPath: string;
}

const DAYS = "3650";
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/**
 * Makes the certificates of a local Kafka with openssl, once: an authority, a broker for `localhost` and 127.0.0.1, a client.
 *
 * @throws IsobarError `missing_tool` without openssl, `failed` with what it said
 */
export async function certificates(folder: string): Promise<Certificates> {
  const path = (name: string) => join(folder, name);
  const done = path("done");
  if (
    !(await access(done).then(
      () => true,
      () => false,
    ))
  ) {
    await mkdir(folder, { recursive: true });
    for (const name of ["ca", "other-ca"]) {
      await openssl(
        folder,
        `req -x509 ${KEY.join(" ")} -days ${DAYS} -subj /CN=${name} -keyout ${name}.key -out ${name}.crt`,
      );
    }
    await Bun.write(path("broker.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    await Bun.write(path("client.ext"), "extendedKeyUsage=clientAuth\n");
    for (const name of ["broker", "client"]) {
      await openssl(folder, `req ${KEY.join(" ")} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
      await openssl(
        folder,
        `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days ${DAYS} -extfile ${name}.ext -out ${name}.crt`,
      );
    }
    await Bun.write(path("broker.pem"), (await text(path("broker.key"))) + (await text(path("broker.crt"))));
    await Bun.write(done, "");
  }
  return {
    ca: await text(path("ca.crt")),
    otherCa: await text(path("other-ca.crt")),
    cert: await text(path("client.crt")),
    key: await text(path("client.key")),
    brokerPath: path("broker.pem"),
    caPath: path("ca.crt"),
  };
}

function text(path: string): Promise<string> {
  return Bun.file(path).text();
}

async function openssl(folder: string, args: string): Promise<void> {
  if (Bun.which("openssl") === null) {
    throw new IsobarError("missing_tool", "Cannot make certificates: openssl is not installed", {
      hint: "Install openssl.",
    });
  }
  const run = Bun.spawn(["openssl", ...args.split(" ")], { cwd: folder, stdout: "ignore", stderr: "pipe" });
  const [said, code] = await Promise.all([run.stderr.text(), run.exited]);
  if (code !== 0) throw new IsobarError("failed", `Cannot make certificates: openssl ${args}\n${said}`);
}
