// The client: a few connections, each with one request under way at a time.
import { connect } from "node:net";

const CONNECTIONS = 4;
const TIMEOUT = 30_000; // milliseconds for a whole round

/** The fields of a request as an API's client sends it and Cloudflare hands it on. */
const FIELDS = [
  "Host: api.acme.example",
  "X-Bench-Scheme: https",
  "User-Agent: acme-client/4.2 (linux; x64)",
  "Accept: application/json",
  "Accept-Encoding: gzip, br",
  "Accept-Language: en",
  "CF-Connecting-IP: 203.0.113.7",
  "CF-IPCountry: NL",
  "CF-Ray: 8c2f4d5e6a7b8c9d",
  'CF-Visitor: {"scheme":"https"}',
  "X-Forwarded-Proto: https",
  "X-Real-IP: 203.0.113.7",
];

/** The octets of a request: `path` with its query, and fields besides those that every client sends. */
const bytesOf = ({ path = "/v1/orders/1234", fields = [] }) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\n${[...FIELDS, ...fields].join("\r\n")}\r\n\r\n`);

/** The load on one Worker. */
export class Load {
  #port;
  #variant;

  constructor(port, variant) {
    this.#port = port;
    this.#variant = variant;
  }

  /** A good request passes, and one that bears nothing or what is broken does not: what is measured does what it says. */
  async check() {
    const { title, good, broken, guards } = this.#variant;
    const wanted = guards ? 401 : 200;
    for (const [request, status] of [[good, 200], [broken, wanted], [{}, wanted]]) {
      const client = await Client.open(this.#port, bytesOf(request));
      const got = await client.exchange().finally(() => client.close());
      if (got !== status) throw new Error(`${title}: status ${got} instead of ${status}`);
    }
  }

  /**
   * Sends so many requests over connections that are new each time, as workerd closes those that idle for seconds while
   * others are measured. Each must be answered with 200.
   */
  async run(count) {
    const bytes = bytesOf(this.#variant.good);
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => Client.open(this.#port, bytes)));
    let left = count;
    const each = async (client) => {
      while (left-- > 0) {
        const status = await client.exchange();
        if (status !== 200) throw new Error(`${this.#variant.title}: status ${status} under load`);
      }
    };
    await inTime(Promise.all(clients.map(each)), TIMEOUT).finally(() => clients.forEach((client) => client.close()));
  }
}

/** One connection; reads no more of an answer than where it ends. */
class Client {
  static open(port, bytes) {
    return new Promise((done, fail) => {
      const socket = connect(port, "127.0.0.1", () => done(new Client(socket, bytes)));
      socket.once("error", fail);
    });
  }

  constructor(socket, bytes) {
    this.socket = socket.setNoDelay().setEncoding("latin1");
    this.bytes = bytes;
    this.rest = "";
    socket.on("data", (part) => this.#take(part));
    socket.on("error", (error) => this.fail?.(error));
    socket.on("close", () => this.fail?.(new Error("the connection was closed")));
  }

  /** Sends the request; the status of its answer. */
  exchange() {
    return new Promise((done, fail) => {
      Object.assign(this, { done, fail });
      this.socket.write(this.bytes);
    });
  }

  close() {
    this.fail = undefined;
    this.socket.destroy();
  }

  #take(part) {
    this.rest += part;
    const end = this.rest.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.rest);
    const whole = length ? this.rest.length >= end + 4 + Number(length[1]) : this.rest.endsWith("\r\n0\r\n\r\n");
    if (!whole) return;
    const status = Number(this.rest.slice(9, 12));
    this.rest = "";
    this.done(status);
  }
}

function inTime(promise, milliseconds) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("a round took too long")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
