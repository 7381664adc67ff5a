/* A FastCGI responder in a few lines: stands in for a program, so that a test sees exactly what the web server hands over.
 *
 * respond(socketPath, answer): `answer({params, body, keep, nth})` gives a text (headers, empty line, body), or null: the connection
 * is cut without an answer, as when a program dies; `nth`: the how manieth request of its connection it is, from 1. Gives {close(),
 * connections}. */
import net from 'node:net';

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

function record(type, id, content) {
    const head = Buffer.alloc(8);
    head.writeUInt8(1, 0);
    head.writeUInt8(type, 1);
    head.writeUInt16BE(id, 2);
    head.writeUInt16BE(content.length, 4);
    return Buffer.concat([head, content]);
}

function pairs(bytes) {
    const found = {};
    let at = 0;
    const length = () => {
        if (bytes[at] < 128) return bytes[at++];
        at += 4;
        return bytes.readUInt32BE(at - 4) & 0x7fffffff;
    };
    while (at < bytes.length) {
        const nameBytes = length(), valueBytes = length();
        const name = bytes.toString('utf8', at, at + nameBytes);
        found[name] = bytes.toString('utf8', at + nameBytes, at + nameBytes + valueBytes);
        at += nameBytes + valueBytes;
    }
    return found;
}

async function finish(socket, request, answer) {
    const params = pairs(Buffer.concat(request.params));
    const text = await answer({ params, body: Buffer.concat(request.body), keep: request.keep, nth: request.nth });
    if (text === null) {
        socket.destroy();
        return;
    }
    const out = Buffer.from(text);
    for (let at = 0; at < out.length; at += 65528) socket.write(record(STDOUT, request.id, out.subarray(at, at + 65528)));
    socket.write(record(STDOUT, request.id, Buffer.alloc(0)));
    socket.write(record(END, request.id, Buffer.alloc(8)));
    if (!request.keep) socket.end();
}

export function respond(socketPath, answer) {
    const open = new Set();
    const state = { connections: 0 };
    const server = net.createServer((socket) => {
        state.connections++;
        open.add(socket);
        socket.on('close', () => open.delete(socket));
        socket.on('error', () => socket.destroy());
        let waiting = Buffer.alloc(0), request, nth = 0;
        socket.on('data', (data) => {
            waiting = Buffer.concat([waiting, data]);
            while (waiting.length >= 8) {
                const bytes = waiting.readUInt16BE(4), whole = 8 + bytes + waiting[6];
                if (waiting.length < whole) return;
                const type = waiting[1], id = waiting.readUInt16BE(2), content = waiting.subarray(8, 8 + bytes);
                waiting = waiting.subarray(whole);
                if (type === BEGIN) request = { id, nth: ++nth, keep: (content[2] & 1) === 1, params: [], body: [] };
                else if (type === PARAMS && bytes) request.params.push(content);
                else if (type === STDIN && bytes) request.body.push(content);
                else if (type === STDIN) finish(socket, request, answer);
            }
        });
    });
    return new Promise((done, failed) => {
        server.once('error', failed);
        server.listen(socketPath, () => done(Object.assign(state, {
            close: () => new Promise((closed) => {
                open.forEach((socket) => socket.destroy());
                server.close(closed);
            }),
        })));
    });
}

function lengthBytes(length) {
    if (length < 128) return Buffer.from([length]);
    const four = Buffer.alloc(4);
    four.writeUInt32BE((length | 0x80000000) >>> 0);
    return four;
}

const pair = (name, value) => Buffer.concat([lengthBytes(Buffer.byteLength(name)), lengthBytes(Buffer.byteLength(value)),
    Buffer.from(name), Buffer.from(value)]);

/* The other side: one request to a program's own socket, without a web server: {socket, answer}, answer a promise of the whole
 * CGI text. `params` are added to those of a plain GET. */
export function ask(socketPath, params) {
    const all = { REQUEST_METHOD: 'GET', SERVER_PROTOCOL: 'HTTP/1.1', REMOTE_ADDR: '127.0.0.1', HTTP_HOST: '127.0.0.1', ...params };
    const content = Buffer.concat(Object.entries(all).map(([name, value]) => pair(name, value)));
    const socket = net.connect(socketPath);
    const answer = new Promise((done, failed) => {
        let waiting = Buffer.alloc(0), text = '';
        socket.on('error', failed);
        socket.on('data', (data) => {
            waiting = Buffer.concat([waiting, data]);
            while (waiting.length >= 8) {
                const bytes = waiting.readUInt16BE(4), whole = 8 + bytes + waiting[6];
                if (waiting.length < whole) return;
                if (waiting[1] === STDOUT) text += waiting.toString('utf8', 8, 8 + bytes);
                if (waiting[1] === END) { socket.destroy(); done(text); }
                waiting = waiting.subarray(whole);
            }
        });
    });
    answer.catch(() => {});
    socket.on('connect', () => socket.write(Buffer.concat([record(BEGIN, 1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
        record(PARAMS, 1, content), record(PARAMS, 1, Buffer.alloc(0)), record(STDIN, 1, Buffer.alloc(0))])));
    return { socket, answer };
}
