/* The places that are measured: rtcc with the null program beside its own, and nchan, each a real nginx of its own. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, freePort, isListening, processesOf, startInstance, tree, until } from '../lib/instance.js';

export const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-bench-')));
export const run = (command, args, options) => execFileSync(command, args, { encoding: 'utf8', ...options });

/* The null program and the load generator: make knows how they are built. */
export const bench = (name) => path.join(buildFolder, 'bench', name);

/* A server's own folder, empty. */
export function emptyFolder(name, ...parts) {
    const own = path.join(folder, name);
    fs.rmSync(own, { recursive: true, force: true });
    fs.mkdirSync(path.join(own, ...parts), { recursive: true });
    return own;
}

/* A tree beside the project's own, in which nginx knows one program and one page more. */
function treeWithNull() {
    const own = path.join(folder, 'tree');
    for (const part of ['sbin', 'conf', 'htdocs']) fs.cpSync(path.join(tree, part), path.join(own, part), { recursive: true });
    fs.writeFileSync(path.join(own, 'htdocs', 'null.txt'), 'x'.repeat(100));
    const file = path.join(own, 'conf/nginx/rtcc.conf');
    const text = fs.readFileSync(file, 'utf8');
    const more = text
        .replace(/^upstream rtcc_status \{/m, 'upstream rtcc_null {\n    server unix:/run/rtcc/null.sock max_fails=0;\n    keepalive 16;\n}\n$&')
        .replace('agent_poll|agent_act|status', '$&|null')
        .replace('conf_view|transcript|status', '$&|null');
    if (more.split('null').length < 6) throw new Error('conf/nginx/rtcc.conf is not as this file knows it');
    fs.writeFileSync(file, more);
    const build = path.join(folder, 'build');
    fs.cpSync(path.join(buildFolder, 'cgi-bin'), path.join(build, 'cgi-bin'), { recursive: true });
    fs.cpSync(path.join(buildFolder, 'sbin'), path.join(build, 'sbin'), { recursive: true });
    fs.copyFileSync(bench('null'), path.join(build, 'cgi-bin/null'));
    return { own, build };
}

let withNull;

/* A whole rtcc with an empty database. */
export async function startRtcc(settings = {}) {
    withNull ??= treeWithNull();
    const instance = await startInstance({ build: withNull.build, from: withNull.own, crowd: true, settings });
    instance.pids = () => processesOf(instance.runDir).map((one) => one.pid);
    return instance;
}

/* A server that is one process and its children; ended by its stop(). */
export async function startServer(command, args, port, options = {}) {
    const child = spawn(command, args, { stdio: 'ignore', ...options });
    const ended = new Promise((done) => child.once('exit', done));
    child.once('error', (error) => { throw error; });
    const stop = async () => { child.kill('SIGTERM'); await ended; };
    await until(() => isListening(port), `${command} listens`, 60000, 200).catch(async (error) => { await stop(); throw error; });
    return { port, pids: () => descendants(child.pid), stop };
}

function descendants(pid) {
    const children = new Map();
    for (const name of fs.readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
        try {
            const parent = Number(fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').pop().split(' ')[1]);
            children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
        } catch { /* it ended */ }
    }
    const found = [pid];
    for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]) ?? []));
    return found;
}

/* Whoever waits has no cursor before his first message, so no wait may end within a run: what came just then would be missed. */
export async function startNchan() {
    const port = await freePort(), own = emptyFolder('nchan', 'log');
    fs.writeFileSync(path.join(own, 'nginx.conf'), `load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 2;
worker_rlimit_nofile 19000;
pid nginx.pid;
error_log log/error.log warn;
events { worker_connections 19000; }
http {
    access_log off;
    keepalive_requests 100000;
    nchan_shared_memory_size 256M;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`).join(' ')}
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location ~ ^/pub/(\\w+)$ {
            nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 100; nchan_message_timeout 60s;
        }
        location ~ ^/sub/(\\w+)$ {
            nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message newest; nchan_subscriber_timeout 300s;
        }
    }
}
`);
    fs.mkdirSync(path.join(own, 'tmp'), { recursive: true });
    return startServer('/usr/sbin/nginx', ['-p', `${own}/`, '-c', 'nginx.conf'], port);
}

/* fossil's chat behind nginx, as its manual has it: `nobody` may chat, and the room's table is made beforehand. */
export async function startFossil() {
    const [port, inner] = [await freePort(), await freePort()], own = emptyFolder('fossil', 'tmp'), file = path.join(own, 'chat.fossil');
    const fossil = (...args) => run('fossil', args, { env: { ...process.env, HOME: own, USER: 'bench' } });
    fossil('init', '--admin-user', 'bench', file);
    fossil('user', 'capabilities', 'nobody', 'hC', '-R', file);
    fossil('sql', '-R', file, `CREATE TABLE repository.chat(msgid INTEGER PRIMARY KEY AUTOINCREMENT, mtime JULIANDAY, lmtime TEXT,
        xfrom TEXT, xmsg TEXT, fname TEXT, fmime TEXT, mdel INT, file BLOB)`);
    fs.writeFileSync(path.join(own, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_rlimit_nofile 19000;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 9000; }
http {
    access_log off;
    keepalive_requests 100000;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`).join(' ')}
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location / { proxy_pass http://127.0.0.1:${inner}; proxy_read_timeout 500s; }
    }
}
`);
    const program = await startServer('/usr/bin/fossil', ['server', '--port', String(inner), '--localhost', file], inner,
        { env: { ...process.env, HOME: own, USER: 'bench' } });
    const server = await startServer('/usr/sbin/nginx', ['-p', `${own}/`, '-c', 'nginx.conf'], port);
    await fetch(`http://127.0.0.1:${port}/home`).then((page) => page.text()); // the first keeps its address; of several at once one keeps it
    const stop = async () => {
        const held = program.pids().slice(1); // a process for each who waits, which does not end with its server
        await server.stop();
        await program.stop();
        for (const pid of held) {
            try { process.kill(pid); } catch { /* it ended */ }
        }
    };
    const clear = () => fossil('sql', '-R', file, 'DELETE FROM repository.chat'); // who comes hears all that was said
    return { port, pids: () => [...server.pids(), ...program.pids()], clear, stop };
}

/* The processor time of processes so far, of all their threads, in milliseconds. */
export function cpuMs(pids) {
    let sum = 0;
    for (const pid of pids) {
        try {
            for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
                sum += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
            }
        } catch { /* it ended */ }
    }
    return sum;
}

/* What the processes have for themselves, shared pages by their share, in KB. */
export function memoryKb(pids) {
    let sum = 0;
    for (const pid of pids) {
        try { sum += Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]); } catch { /* it ended */ }
    }
    return sum;
}

/* What one process has allocated, in bytes. */
export const anonBytes = (pid) =>
    1024 * Number(/^RssAnon:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/* The load generator: {held, result}, two promises. */
export function load(kind, place, options) {
    const args = Object.entries({ p: place.port, P: place.pids().join(','), ...options }).flatMap(([key, value]) => [`-${key}`, String(value)]);
    const child = spawn(bench('load'), [kind, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', errors = '', isHeld;
    const held = new Promise((done) => { isHeld = done; });
    child.stderr.on('data', (data) => { errors += data; });
    child.stdout.on('data', (data) => {
        out += data;
        if (out.startsWith('held\n')) isHeld();
    });
    const result = new Promise((done, fail) => child.once('close', (code) => {
        isHeld();
        if (code !== 0) fail(new Error(`load ${kind}: ${errors}`));
        else done(JSON.parse(out.trim().split('\n').pop()));
    }));
    result.catch(() => {}); // whoever awaits it later hears of it
    return { held, result };
}

/* wrk's requests a second and 99th percentile (ms); an answer that is not 2xx has no figure. */
export function wrk(base, where, connections, seconds, script) {
    const args = ['-t1', `-c${connections}`, `-d${seconds}`, '--latency', ...(script ? ['-s', script] : []), `${base}${where}`];
    const out = run('wrk', args);
    if (/Non-2xx|Socket errors/.test(out)) throw new Error(`wrk ${where}: ${out}`);
    const [, late, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out);
    return { perS: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), p99Ms: Number(late) * { us: 0.001, ms: 1, s: 1000 }[unit] };
}
