/* A server between form_submit and the two others: passes calls on, unless it is told to be slow, wrong, silent, or to change
 * them. One object decides for each call: `how(call, count)` gives the name of one of the ways below (default: pass). */
import http from 'node:http';

const isReqid = (pair) => pair.startsWith('reqid=');

const send = (answer, status, body) => {
    answer.writeHead(status, { 'Content-Type': 'application/xml' });
    answer.end(body);
};

/* What can happen to a call. `whole` is the real server's answer, when it was asked. */
const ways = {
    pass: { isAsked: true, then: (answer, whole) => send(answer, whole.status, whole.body) },
    slow: { isAsked: true, then: (answer, whole) => setTimeout(() => send(answer, whole.status, whole.body), 1200) },
    late: { isAsked: true, then: (answer, whole) => setTimeout(() => send(answer, whole.status, whole.body), 6000) },
    silent: { isAsked: true, then: () => {} }, // it was done, and nobody is told
    deaf: { isAsked: false, then: () => {} },
    cut: { isAsked: true, then: (answer, whole) => {
        answer.writeHead(whole.status, { 'Content-Length': whole.body.length });
        answer.write(whole.body.subarray(0, whole.body.length / 2));
        setTimeout(() => answer.destroy(), 20);
    } },
    hangUp: { isAsked: true, then: (answer) => answer.destroy() },
    wrong: { isAsked: true, then: (answer) => send(answer, 200, '<surprise><id>1</id></surprise>') },
    notXml: { isAsked: true, then: (answer) => send(answer, 200, '{"id":1}') },
    error: { isAsked: true, then: (answer) => send(answer, 500, 'Internal Server Error') },
    huge: { isAsked: true, then: (answer) => send(answer, 200, Buffer.alloc(10 << 20, '<conference>')) },
    noReqid: { isAsked: true, change: (body) => body.split('&').filter((pair) => !isReqid(pair)).join('&'),
        then: (answer, whole) => send(answer, whole.status, whole.body) },
};
export const faultyWays = Object.keys(ways).filter((name) => !['pass', 'noReqid'].includes(name));

/* Passes a call on to the port and gives {status, body}. */
function pass(port, { method, url, headers }, body) {
    return new Promise((resolve, reject) => {
        const sent = http.request({ host: '127.0.0.1', port, method, path: url, agent: false,
            headers: { ...headers, host: `127.0.0.1:${port}`, connection: 'close', 'content-length': Buffer.byteLength(body) } },
            (answer) => {
                const chunks = [];
                answer.on('data', (chunk) => chunks.push(chunk));
                answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks) }));
                answer.on('error', reject);
            });
        sent.on('error', reject);
        sent.end(body);
    });
}

class Between {
    constructor(how) {
        Object.assign(this, { how, to: null, calls: [], port: 0 });
    }

    /* Listens, again on the port that it had. */
    async open() {
        this.server = http.createServer((asked, answer) => this.take(asked, answer).catch(() => answer.destroy()));
        await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
        this.port = this.server.address().port;
    }

    /* Lets go of the port and of every connection. */
    async close() {
        const closed = new Promise((done) => this.server.close(done));
        this.server.closeAllConnections();
        await closed;
    }

    /* How the settings call it. */
    get settings() {
        const url = `http://127.0.0.1:${this.port}`;
        return { collaboration_url: url, queue_url: url };
    }

    async take(asked, answer) {
        let body = '';
        for await (const chunk of asked) body += chunk;
        const program = asked.url.replace(/^\/cgi_bin\//, ''), call = { program, body: new URLSearchParams(body), asked };
        const name = this.how(call, this.calls.push(call)) ?? 'pass', way = ways[name];
        Object.assign(call, { way: name });
        answer.on('error', () => {});
        const whole = way.isAsked ? await pass(this.to, asked, way.change?.(body) ?? body) : null;
        await this.before?.(call, whole);
        way.then(answer, whole);
    }

    stop() {
        return this.close();
    }
}

/* Starts one. `to`, the port that it passes on to, is set by whoever starts the instance behind it. */
export async function startBetween(how = () => 'pass') {
    const between = new Between(how);
    await between.open();
    return between;
}
