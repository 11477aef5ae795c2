// The origin: answers every request the same, from bytes that are ready. It runs beside the load, outside of the
// process that is measured.
import { createServer } from "node:net";

const ANSWER = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\nok\n",
);

/** Starts it on a free port of this machine alone. */
export function startOrigin() {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay());
    let rest = "";
    socket.setEncoding("latin1").on("data", (part) => {
      rest += part;
      for (let end; (end = rest.indexOf("\r\n\r\n")) >= 0; rest = rest.slice(end + 4)) socket.write(ANSWER);
    });
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ port: server.address().port, close })));
}
