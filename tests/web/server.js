// A web server of a test's own.

import { createServer } from "node:http";

/**
 * Serves `answer` on a free port until the test is over.
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").RequestListener} answer
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serving(t, answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  t.after(close);
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close };
}
