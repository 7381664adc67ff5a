/* Programs as plain CGI: one process for each request, its environment and its stdin, no web server.
 *
 * newPlace() makes a folder with settings; place.run() runs a program there as a web server would (RFC 3875). place.serve() is
 * the
 * smallest web server that does this for every address, so that form_submit finds the other programs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { multipart, parseXml, urlencoded } from './http.js';
import { buildFolder, tree } from './instance.js';

/* Runs to the end: {status, signal, stdout (bytes), stderr, ms}. */
export const runToEnd = (file, args, env, input = '', cwd = '/') => new Promise((done, failed) => {
    const began = performance.now(), child = spawn(file, args, { env, cwd }), out = [], err = [];
    child.once('error', failed);
    child.stdout.on('data', (data) => out.push(data));
    child.stderr.on('data', (data) => err.push(data));
    child.stdin.on('error', () => {}); // it need not read what it does not want
    child.stdin.end(input);
    child.once('close', (status, signal) => done({ status, signal, stdout: Buffer.concat(out),
        stderr: Buffer.concat(err).toString(),
        ms: performance.now() - began }));
});

/* What a program wrote, as an HTTP answer. */
function answerOf(ended) {
    const end = ended.stdout.indexOf('\r\n\r\n');
    assert.ok(end > 0, `no head in: ${ended.stdout.subarray(0, 200)} ${ended.stderr}`);
    const headers = {};
    for (const line of ended.stdout.subarray(0, end).toString().split('\r\n')) {
        const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? assert.fail(`no header: ${line}`);
        if (name.toLowerCase() === 'set-cookie') (headers['set-cookie'] ??= []).push(value);
        else headers[name.toLowerCase()] = value;
    }
    const bytes = ended.stdout.subarray(end + 4), body = bytes.toString();
    return { ...ended, exit: ended.status, status: Number(headers.status?.slice(0, 3) ?? 200), headers, bytes, body,
        json: () => JSON.parse(body), xml: () => parseXml(body) };
}

/* How sanitized programs were told to behave, for an environment that has nothing else of ours. */
export const sanitizerOptions = () => Object.fromEntries(['ASAN_OPTIONS', 'UBSAN_OPTIONS'].filter((name) => process.env[name])
    .map((name) => [name, process.env[name]]));

function environmentOf(program, method, options, type, length) {
    const env = { GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: method,
        SCRIPT_NAME: `/cgi_bin/${program}`,
        QUERY_STRING: options.rawQuery ?? urlencoded(options.query ?? {}), REMOTE_ADDR: options.from ?? '127.0.0.1',
        SERVER_NAME: '127.0.0.1', SERVER_PORT: '80', HTTP_HOST: '127.0.0.1', PATH: process.env.PATH };
    Object.assign(env, sanitizerOptions());
    if (type) env.CONTENT_TYPE = type;
    if (length !== undefined) env.CONTENT_LENGTH = String(length);
    if (options.accept) env.HTTP_ACCEPT = options.accept;
    if (options.bearer) env.HTTP_AUTHORIZATION = `Bearer ${options.bearer}`;
    if (options.cookie) env.HTTP_COOKIE = options.cookie;
    if (options.pathInfo) env.PATH_INFO = options.pathInfo;
    return { ...env, ...options.env };
}

class Place {
    constructor(folder, build, env) {
        Object.assign(this, { folder, build, env, conf: path.join(folder, 'rtcc.conf'), state: path.join(folder, 'state') });
    }

    /* The settings, as an object; what is not named has its default. */
    write(settings) {
        const all = { state_dir: this.state, pages_dir: path.join(tree, 'htdocs'), password_cost: 1, ...settings };
        fs.writeFileSync(this.conf, Object.entries(all).map(([key, value]) => `${key} ${value}\n`).join(''));
    }

    /* One request. Options as request() of http.js has them, and env, rawQuery, pathInfo, from, contentLength, args. */
    async run(program, method, options = {}) {
        const { type, body } = options.multipart ? multipart(options.multipart)
            : options.form ? { type: 'application/x-www-form-urlencoded', body: urlencoded(options.form) } : options;
        const length = options.contentLength ?? (body === undefined ? undefined : Buffer.byteLength(body));
        const env = { ...environmentOf(program, method, options, type, length), ...this.env, RTCC_CONF: this.conf };
        return answerOf(await runToEnd(path.join(this.build, 'cgi-bin', program), options.args ?? [], env, body ?? ''));
    }

    /* The administrator's command: {status, stdout (text), stderr}. */
    async command(args, input = '') {
        const env = { ...process.env, ...this.env, RTCC_CONF: this.conf };
        const ended = await runToEnd(path.join(this.build, 'sbin/rtcc'), args, env, input);
        return { ...ended, stdout: ended.stdout.toString() };
    }

    /* A web server in front of the programs on a port of 127.0.0.1 (0: a free one): {port, close()}. */
    serve(port = 0) {
        const server = http.createServer(async (ask, answer) => {
            const chunks = [];
            for await (const chunk of ask) chunks.push(chunk);
            const url = new URL(ask.url, 'http://127.0.0.1'), program = url.pathname.split('/')[2];
            const env = Object.fromEntries(Object.entries(ask.headers).map(([name, value]) =>
                [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value]));
            const body = Buffer.concat(chunks);
            const said = await this.run(program, ask.method, { rawQuery: url.search.slice(1), type: ask.headers['content-type'],
                body: ask.method === 'POST' ? body : undefined, env });
            const { status, ...headers } = said.headers;
            answer.writeHead(said.status, headers).end(said.bytes);
        });
        return new Promise((done, failed) => {
            server.once('error', failed);
            server.listen(port, '127.0.0.1', () => done({ port: server.address().port, close: () => new Promise((closed) => {
                server.close(closed);
                server.closeAllConnections();
            }) }));
        });
    }

    clear() {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

/* A place of its own below the folder for temporary files; with isEmpty nothing but its settings are there. env: for all that runs
 * there. */
export async function newPlace({ settings = {}, isEmpty = false, build = buildFolder, env = {} } = {}) {
    const place = new Place(fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-'))), build, env);
    place.write(settings);
    if (!isEmpty) {
        const made = await place.command(['init']);
        assert.equal(made.status, 0, made.stderr);
    }
    return place;
}
