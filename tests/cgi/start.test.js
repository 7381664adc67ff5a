/* How a program finds out what it is started as, without a web server: FastCGI, plain CGI, or a person at a terminal. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../lib/fastcgi.js';
import { buildFolder, tree, until } from '../lib/instance.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-start-'));
const conf = path.join(folder, 'rtcc.conf');
const program = (name) => path.join(buildFolder, 'cgi-bin', name);
const clean = { PATH: process.env.PATH, LSAN_OPTIONS: 'detect_leaks=0', ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', RTCC_CONF: conf };

before(() => {
    fs.mkdirSync(path.join(folder, 'state'));
    fs.writeFileSync(conf, `state_dir ${folder}/state\npages_dir ${tree}/htdocs\n`);
    const init = spawnSync(path.join(buildFolder, 'sbin/rtcc'), ['init'], { env: clean, encoding: 'utf8' });
    assert.equal(init.status, 0, init.stderr);
});
after(() => fs.rmSync(folder, { recursive: true }));

/* Runs a program as plain CGI: {status, head, body, stderr}. */
function cgi(name, variables, args = [], input = '') {
    const env = { ...clean, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', REMOTE_ADDR: '127.0.0.1', HTTP_HOST: '127.0.0.1',
        ...variables };
    const run = spawnSync(program(name), args, { env, input, encoding: 'utf8' });
    const [head, ...rest] = run.stdout.split('\r\n\r\n');
    return { status: run.status, head, body: rest.join('\r\n\r\n'), stderr: run.stderr };
}

/* Starts a program with a listening socket as descriptor 0. */
async function fastcgi(name, env = clean) {
    const socketPath = path.join(folder, `${name}.sock`);
    const server = net.createServer();
    await new Promise((done) => server.listen(socketPath, done));
    const child = spawn(program(name), [], { env, stdio: [server._handle.fd, 'ignore', 'pipe'] });
    const running = { child, said: '', exit: new Promise((done) => child.once('exit', (code, signal) => done({ code, signal }))) };
    child.stderr.on('data', (data) => { running.said += data; });
    running.close = () => new Promise((done) => server.close(done));
    return running;
}

test('a person who starts a program is told what it is, with status 2', () => {
    const run = spawnSync(program('status'), [], { env: clean, input: '', encoding: 'utf8' });
    assert.equal(run.status, 2);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /^status: .*\n[\s\S]*Usage: status/);
    assert.equal(spawnSync(program('status'), ['--wrong'], { env: clean }).status, 2);
});

test('--help and --version are answered without settings or database', () => {
    const env = { ...clean, RTCC_CONF: '/nowhere/rtcc.conf' };
    const help = spawnSync(program('conf_poll'), ['--help'], { env, encoding: 'utf8' });
    assert.equal(help.status, 0);
    for (const name of ['conf', 'token', 'after', 'wait']) assert.match(help.stdout, new RegExp(`^  ${name} `, 'm'));
    const version = spawnSync(program('conf_poll'), ['--version'], { env, encoding: 'utf8' });
    assert.equal(version.status, 0);
    assert.match(version.stdout, /^conf_poll \(rtcc\) \d+\.\d+/);
});

test('under CGI a request is answered from the environment', () => {
    const answer = cgi('vcs_conf_schedule', { QUERY_STRING: 'subject=new_conference' });
    assert.equal(answer.status, 0, answer.stderr);
    assert.match(answer.head, /^Status: 200 OK\r\nContent-Type: application\/xml; charset=utf-8\r\n/);
    assert.match(answer.body, /<subject>new_conference<\/subject>/);
});

test('under CGI the arguments, which may come from a stranger, are not looked at', () => {
    const answer = cgi('vcs', { QUERY_STRING: '--help' }, ['--help']);
    assert.match(answer.head, /^Status: 200 OK/);
    assert.match(answer.body, /<conferences/);
});

test('under CGI a database that cannot be used is 503', () => {
    const broken = path.join(folder, 'broken.conf');
    fs.writeFileSync(broken, `state_dir ${folder}/nowhere\npages_dir ${tree}/htdocs\n`);
    const answer = cgi('vcs', { RTCC_CONF: broken });
    assert.equal(answer.status, 0);
    assert.match(answer.head, /^Status: 503 Service Unavailable/);
    assert.match(answer.head, /\r\nRetry-After: \d+/);
    assert.match(answer.stderr, /nowhere/);
});

const wishes = { vcs: ['SIGTERM', 'SIGINT'], conf_poll: ['SIGTERM', 'SIGQUIT'], file_put: ['SIGTERM', 'SIGUSR1', 'SIGQUIT'] };

for (const [name, signal] of Object.entries(wishes).flatMap(([name, signals]) => signals.map((signal) => [name, signal]))) {
    test(`${name} serves descriptor 0 and ends with status 0 within two seconds of ${signal}`, async () => {
        const running = await fastcgi(name);
        try {
            await until(() => fs.readFileSync(`/proc/${running.child.pid}/wchan`, 'utf8').includes('epoll'), 'it waits');
            const start = Date.now();
            running.child.kill(signal);
            assert.deepEqual(await running.exit, { code: 0, signal: null }, running.said);
            assert.ok(Date.now() - start < 2000);
            assert.equal(running.said, '');
        } finally {
            running.child.kill('SIGKILL');
            await running.close();
        }
    });
}

for (const name of ['vcs', 'conf_poll', 'form_submit']) { // one of each mode
    test(`as FastCGI ${name} answers 503 while it cannot use its database, so that nobody waits for nothing`, async () => {
        const socket = path.join(folder, `${name}.broken`), env = { ...clean, RTCC_CONF: path.join(folder, 'broken.conf') };
        const child = spawn('spawn-fcgi', ['-n', '-s', socket, '--', program(name)], { env, stdio: 'ignore' });
        const exit = new Promise((done) => child.once('exit', done));
        const unlessEarly = (fault) => assert.match(fault.code, /^(ENOENT|ECONNREFUSED)$/); // the socket is there before who listens
        const text = await until(() => ask(socket, { HTTP_ACCEPT: 'text/html', QUERY_STRING: 'conf=1' }).answer.catch(unlessEarly),
            'it answers');
        assert.match(text, /^Status: 503 [\s\S]*\r\nRetry-After: \d[\s\S]*<p>Load this page again/);
        assert.equal(await exit, 1);
    });
}

test('as FastCGI a program that cannot use its database ends with a sentence, for whoever starts it again', async () => {
    const running = await fastcgi('queue', { ...clean, RTCC_CONF: path.join(folder, 'broken.conf') });
    assert.deepEqual(await running.exit, { code: 1, signal: null });
    assert.match(running.said, /^queue\[\d+\]: .*nowhere.*\n$/);
    await running.close();
});
