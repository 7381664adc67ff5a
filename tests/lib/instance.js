/* A whole rtcc for a test: sbin/serve on a free port, in a folder of its own, ended and cleared away afterwards.
 *
 * RTCC_BUILD names the folder with the programs (default: build). RTCC_KEEP=1 keeps the instance's folder to be looked at. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { trust } from './http.js';

export const tree = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const buildFolder = path.resolve(tree, process.env.RTCC_BUILD ?? 'build');
export const demoPassword = 'correct horse 42';

export const sleep = (ms) => setTimeout(ms);

/* Asks until `question` gives something true and hands that back; throws after `ms`. */
export async function until(question, what, ms = 10000, every = 50) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(every)) {
        const found = await question();
        if (found) return found;
    }
    throw new Error(`${what}: not within ${ms} ms`);
}

/* A port that nobody listens on now. Below the range that the system gives to outgoing connections, so that it stays free. */
export async function freePort() {
    for (let tries = 0; tries < 200; tries++) {
        const port = 10000 + Math.floor(Math.random() * 20000);
        const isFree = await new Promise((done) => {
            const probe = net.createServer();
            probe.once('error', () => done(false));
            probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
        });
        if (isFree) return port;
    }
    throw new Error('no port is free');
}

/* Whether somebody accepts connections on that port. */
export const isListening = (port) => new Promise((done) => {
    const probe = net.connect(port, '127.0.0.1');
    probe.once('connect', () => { probe.destroy(); done(true); });
    probe.once('error', () => done(false));
});

/* Every process that belongs to the instance in runDir, or those of one name: {pid, name}; serve itself is not among them. */
export function processesOf(runDir, name) {
    const found = [];
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
            const exe = path.basename(fs.readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, ''); // its file was replaced
            if (name !== undefined && exe !== name) continue;
            const isMarked = fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`RTCC_RUN=${runDir}`);
            const isNginx = exe === 'nginx' && fs.readlinkSync(`/proc/${pid}/cwd`) === runDir;
            if (isMarked || isNginx) found.push({ pid: Number(pid), name: exe });
        } catch { /* it ended while it was looked at, or is not ours */ }
    }
    return found;
}

/* Does this in a database of the instance, as if it had come about. */
export const plant = (instance, sql, database = 'rtcc.db') =>
    execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(instance.runDir, 'state', database), sql]);

/* Holds the database in that folder, as a backup by hand would: nobody else can write. Gives what lets it go. */
export async function holdDatabase(state) {
    const holder = spawn('sqlite3', [path.join(state, 'rtcc.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    holder.stdin.write('.timeout 5000\nBEGIN IMMEDIATE;\nSELECT 1;\n');
    await new Promise((done) => holder.stdout.once('data', done));
    return () => new Promise((done) => { holder.once('exit', done); holder.stdin.end('ROLLBACK;\n'); });
}

/* What a sanitizer or an assertion said in the logs of an instance; '' when nothing. */
function complaints(runDir) {
    const log = path.join(runDir, 'log', 'rtcc.log');
    if (!fs.existsSync(log)) return '';
    const text = fs.readFileSync(log, 'utf8');
    const at = text.search(/ERROR: (Address|Leak)Sanitizer|runtime error:|Assertion .* failed/);
    return at < 0 ? '' : text.slice(at, at + 4000);
}

class Instance {
    constructor(child, port, tlsPort, runDir, isOwn) {
        Object.assign(this, { child, port, tlsPort, runDir, isOwn, password: demoPassword, said: '' });
        this.plainBase = `http://127.0.0.1:${port}`;
        this.base = tlsPort ? `https://127.0.0.1:${tlsPort}` : this.plainBase;
        this.certificate = path.join(runDir, 'tls/cert.pem');
        this.ended = new Promise((done) => {
            child.once('exit', (code, signal) => { this.exit = { code, signal }; done(this.exit); });
        });
    }

    /* Waits, but not for ever: a test that hangs says nothing, this says what there is to see. */
    async within(promise, what) {
        const late = new AbortController(), time = setTimeout(120000, 'late', { signal: late.signal }).catch(() => {});
        if (await Promise.race([promise, time]) === 'late') {
            const pids = [this.child, ...this.processes()].map((one) => one.pid).join();
            const alive = execFileSync('ps', ['-ww', '-o', 'pid,ppid,stat,wchan:16,etimes,args', '-p', pids], { encoding: 'utf8' });
            this.child.kill('SIGKILL');
            for (const { pid } of this.processes()) {
                try { process.kill(pid, 'SIGKILL'); } catch { /* it ended meanwhile */ }
            }
            const log = path.join(this.runDir, 'log/rtcc.log'), logged = fs.existsSync(log) ? this.log().slice(-2000) : '';
            throw new Error(`serve has not ${what} within two minutes:\n${alive}\n${this.said}\n${logged}`);
        }
        late.abort();
    }

    processes(name) {
        return processesOf(this.runDir, name);
    }

    log(name = 'rtcc') {
        return fs.readFileSync(path.join(this.runDir, 'log', `${name}.log`), 'utf8');
    }

    /* Ends it as a person would and waits; throws if a program complained in its log, or if serve did not end well. */
    async stop(signal = 'SIGTERM') {
        if (!this.exit) this.child.kill(signal);
        await this.within(this.ended, 'ended');
        const wrong = complaints(this.runDir);
        if (this.isOwn && !process.env.RTCC_KEEP) fs.rmSync(this.runDir, { recursive: true, force: true });
        if (wrong) throw new Error(`a program complained:\n${wrong}`);
        return this.exit;
    }
}

const running = new Set();
process.on('exit', () => running.forEach((one) => one.child.kill('SIGTERM')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1)); // a test that hung was ended

/* The command in front that writes down what an instance starts, where tests/run asks for it: RTCC_TRACE is how the files
 * begin. Only the instance: what measures time is not slowed by it. */
let traced = 0;
const tracer = () => (process.env.RTCC_TRACE ? [...process.env.RTCC_TRACER.split(' '), '-o', `${process.env.RTCC_TRACE}.${++traced}`] : []);

/* Starts an instance and waits for its `ready` line. All optional: port; runDir (kept afterwards); build; from, the tree whose
 * serve it is; through, a command that serve is run by; web, as serve's -w has it; tls: https on a port of its own, which is then
 * `base`, and `plainBase` the other; env; settings, an object of lines for rtcc.conf. Passwords are hashed at the lowest cost
 * unless settings say otherwise. crowd: as many processes and open files as serve gives a site; without it few, because starting
 * them is most of what many a test does. */
export async function startInstance({ port, runDir, build = buildFolder, from = tree, through = [], web = 'nginx', tls = false,
    crowd = false, env = {}, settings = {} } = {}) {
    port ??= await freePort();
    const tlsPort = tls ? await freePort() : undefined;
    const folder = runDir ?? fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    const lines = Object.entries({ password_cost: 1, ...settings }).flatMap(([key, value]) => ['-s', `${key} ${value}`]);
    const [command, ...args] = [...tracer(), ...through, ...crowd ? [] : ['prlimit', '--nofile=4096:4096'],
        path.join(from, 'sbin/serve'), '-b', build, '-p', String(port), '-r', folder, '-w', web, ...tls ? ['-t', String(tlsPort)] : [],
        ...crowd ? [] : ['-n', '2'], ...lines];
    const child = spawn(command, args, {
        env: { ...process.env, RTCC_DEMO_PASSWORD: demoPassword, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    const instance = new Instance(child, port, tlsPort, folder, runDir === undefined);
    running.add(instance);
    instance.ended.then(() => running.delete(instance));
    const ready = new Promise((done) => {
        const hear = (data) => {
            instance.said += data;
            if (instance.said.includes(`\nready ${instance.base}/\n`)) done();
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
    });
    await instance.within(Promise.race([ready, instance.ended]), 'started');
    if (instance.exit && instance.isOwn) fs.rmSync(folder, { recursive: true, force: true });
    if (instance.exit) throw new Error(`serve ended with ${instance.exit.code}:\n${instance.said}`);
    if (tls) trust(fs.readFileSync(instance.certificate));
    return instance;
}
