// Loaded before everything else in a process under test: writes every message its main thread
// receives from any port or worker, serialised, to the file named in MESSAGES_FILE.
import { appendFileSync } from 'node:fs';
import { serialize } from 'node:v8';
import { isMainThread, MessagePort, Worker } from 'node:worker_threads';

function bytesOf(message) {
  try {
    return serialize(message);
  } catch {
    // Shared memory and ports cannot be serialised: what can be is, field by field.
    const parts = Object.values(message ?? {}).map((value) => {
      if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer);
      return typeof value === 'object' && value !== null ? bytesOf(value) : serialize(`${value}`);
    });
    return Buffer.concat(parts);
  }
}

if (isMainThread) {
  for (const prototype of [MessagePort.prototype, Worker.prototype]) {
    for (const name of ['on', 'addListener', 'once']) {
      const original = prototype[name];
      prototype[name] = function (event, listener) {
        if (event !== 'message') return original.call(this, event, listener);
        return original.call(this, event, (message) => {
          appendFileSync(process.env.MESSAGES_FILE, bytesOf(message));
          return listener.call(this, message);
        });
      };
    }
  }
}
