/* HTTP as bytes: what node:http refuses to send (two lengths, broken chunks, a NUL in a header), and every byte of the answer's
 * head. A Wire keeps its connection for one request after the other, so that a test with tens of thousands costs little.
 *
 * wire.ask(bytes) → {status, head (its lines), names (of its headers, sorted), header(name), body, ms}, or null when the server
 * closed without an answer. */
import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

function readHead(bytes, end) {
    const head = bytes.toString('latin1', 0, end).split('\r\n');
    const headers = head.slice(1).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head[0])?.[1]), head, headers,
        names: headers.map(([name]) => name).sort(), header: (name) => headers.find(([one]) => one === name)?.[1] };
}

/* The body at the front of `bytes` and how long it is there: {body, bytes}; null: not all of it has come. */
function readChunks(bytes) {
    const parts = [];
    for (let at = 0; ;) {
        const line = bytes.indexOf('\r\n', at);
        if (line < 0) return null;
        const length = parseInt(bytes.toString('latin1', at, line), 16), next = line + 2 + length + 2;
        if (bytes.length < next) return null;
        if (length === 0) return { body: Buffer.concat(parts), bytes: next };
        parts.push(bytes.subarray(line + 2, line + 2 + length));
        at = next;
    }
}

function readBody(answer, bytes, isHead, isClosed) {
    const length = answer.header('content-length');
    if (isHead || answer.status === 304 || answer.status === 204) return { body: Buffer.alloc(0), bytes: 0 };
    if (answer.header('transfer-encoding') === 'chunked') return readChunks(bytes);
    if (length === undefined) return isClosed ? { body: bytes, bytes: bytes.length } : null;
    return bytes.length >= Number(length) ? { body: bytes.subarray(0, Number(length)), bytes: Number(length) } : null;
}

export class Wire {
    constructor(port, from) {
        Object.assign(this, { port, from, waiting: Buffer.alloc(0) });
    }

    connect() {
        const socket = net.connect({ port: this.port, host: '127.0.0.1', localAddress: this.from });
        const change = (isClosed) => (data) => {
            if (this.socket !== socket) return;
            if (data instanceof Buffer) this.waiting = this.waiting.length ? Buffer.concat([this.waiting, data]) : data;
            this.isClosed = isClosed;
            this.look?.();
        };
        Object.assign(this, { socket, waiting: Buffer.alloc(0), isClosed: false });
        socket.setNoDelay(true);
        socket.on('data', change(false)).on('end', change(true)).on('close', change(true)).on('error', change(true));
    }

    /* The next whole answer that has come, or undefined. */
    take(isHead) {
        for (;;) {
            const end = this.waiting.indexOf(HEAD_END);
            if (end < 0) return this.isClosed ? null : undefined;
            const answer = readHead(this.waiting, end), rest = this.waiting.subarray(end + 4);
            if (answer.status === 100) {
                this.waiting = rest;
                continue;
            }
            const found = readBody(answer, rest, isHead, this.isClosed);
            if (!found) return this.isClosed ? null : undefined;
            this.waiting = rest.subarray(found.bytes);
            return { ...answer, body: found.body.toString('utf8') };
        }
    }

    /* Sends and waits for the answer; null when there was none. */
    ask(bytes, { timeout = 30000 } = {}) {
        if (!this.socket || this.isClosed || this.socket.destroyed) this.connect();
        const began = performance.now(), isHead = bytes.subarray(0, 5).toString() === 'HEAD ';
        return new Promise((resolve, reject) => {
            const finish = (answer) => {
                clearTimeout(timer);
                this.look = undefined;
                if (!answer || answer.header('connection') === 'close') this.close();
                resolve(answer && { ...answer, ms: performance.now() - began });
            };
            const timer = setTimeout(() => {
                this.look = undefined;
                this.close();
                reject(new Error(`no answer within ${timeout} ms to ${bytes.toString('latin1', 0, 300)}`));
            }, timeout);
            this.look = () => {
                const answer = this.take(isHead);
                if (answer !== undefined) finish(answer);
            };
            this.socket.write(bytes);
        });
    }

    close() {
        this.socket?.destroy();
        this.socket = undefined;
    }
}

/* A request as bytes. `headers` is a list of lines; a body brings its Content-Length unless `length` is null. */
export function bytesOf(method, target, headers = [], body, length = body?.length) {
    const lines = [`${method} ${target} HTTP/1.1`, ...headers];
    if (!headers.some((line) => /^host:/i.test(line))) lines.splice(1, 0, 'Host: 127.0.0.1');
    if (body !== undefined && length !== null) lines.push(`Content-Length: ${length}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    return body === undefined ? head : Buffer.concat([head, body]);
}
