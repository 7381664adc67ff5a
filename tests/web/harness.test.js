/* sbin/serve: what `make run` and every other test stand on. Processes are killed here; what programs say is tested elsewhere.
 * Takes long. Once is enough. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get } from '../lib/http.js';
import { buildFolder, freePort, isListening, processesOf, sleep, startInstance, tree, until } from '../lib/instance.js';
import { ask, confPoll, say, signIn } from '../lib/people.js';

let instance;
before(async () => { instance = await startInstance({ crowd: true }); });
after(() => instance.stop());

const statusOf = async (one) => (await get(one.base, '/cgi_bin/status')).status;
const pidsOf = (name) => instance.processes(name).map((one) => one.pid);
const programs = () => fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c'))
    .map((name) => name.slice(0, -2));

/* Kills the processes and waits until as many others are in their place; gives the time that it took. */
async function killAndWait(name) {
    const old = pidsOf(name);
    assert.ok(old.length > 0, `${name} runs`);
    const began = Date.now();
    old.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until(() => pidsOf(name).filter((pid) => !old.includes(pid)).length >= old.length, `${name} is back`, 5000, 20);
    return Date.now() - began;
}

test('every program in cgi-bin runs and is known to nginx', async () => {
    const conf = fs.readFileSync(path.join(tree, 'conf/nginx/rtcc.conf'), 'utf8');
    for (const name of programs()) {
        assert.ok(pidsOf(name).length > 0, `${name} runs`);
        assert.match(conf, new RegExp(`upstream rtcc_${name} `), name);
    }
});

test('a program whose requests may wait has several processes, and -n is the most of them', async () => {
    const many = { form_submit: 8, file_put: 4, file_get: 4, agent_sign: 4 }, small = await startInstance();
    try {
        for (const name of programs()) {
            assert.equal(pidsOf(name).length, many[name] ?? 1, name);
            assert.equal(small.processes(name).length, many[name] ? 2 : 1, `${name}, -n 2`);
        }
    } finally { await small.stop(); }
    for (const most of ['0', '100', 'some']) {
        const said = spawnSync(path.join(tree, 'sbin/serve'), ['-b', buildFolder, '-n', most], { encoding: 'utf8', timeout: 10000 });
        assert.deepEqual([said.status, said.stderr], [1, `serve: -n is a number from 1 to 99, not '${most}'\n`]);
    }
});

test('a killed program is back within a second, however often, and nobody is refused meanwhile', async () => {
    const seen = {}, times = [];
    let isOver = false, answers = 0;
    const asking = (async () => {
        while (!isOver) {
            const answer = await get(instance.base, '/cgi_bin/vcs').catch((error) => ({ status: error.code }));
            seen[answer.status] = (seen[answer.status] ?? 0) + 1;
            answers++;
        }
    })();
    try {
        while (times.length < 9) {
            times.push(await killAndWait('vcs'));
            const answered = answers; // what this death interrupted is tried once more; the next death must not take that as well
            await until(() => answers >= answered + 2, 'the interrupted request is answered');
        }
    } finally {
        isOver = true;
        await asking;
    }
    assert.deepEqual(Object.keys(seen), ['200']);
    assert.ok(times.sort((a, b) => a - b)[4] < 1000, `the median of ${times} ms`); // this machine may be busy with something else
});

test('all processes of a program that runs several times come back', async () => {
    const before = pidsOf('form_submit').length;
    assert.ok(before > 1);
    await killAndWait('form_submit');
    assert.equal(pidsOf('form_submit').length, before);
    assert.equal((await get(instance.base, '/cgi_bin/form_submit')).status, 200);
});

test('a program is killed while a poll is parked in it: the poll is taken up again and delivers', async () => {
    const customer = await ask(instance);
    const { after: seen } = await confPoll(instance, customer);
    const poll = confPoll(instance, customer, seen, 20);
    await sleep(300);
    await killAndWait('conf_poll');
    await say(instance, customer, 'after the accident');
    assert.deepEqual((await poll).events.map((event) => event.text), ['after the accident']);
});

test('multiwatch, nginx and rtcc work come back as well', async () => {
    const watch = instance.processes('multiwatch').find((one) =>
        fs.readFileSync(`/proc/${one.pid}/cmdline`, 'utf8').endsWith('/cgi-bin/queue\0'));
    const old = pidsOf('queue');
    process.kill(watch.pid, 'SIGKILL');
    await until(() => pidsOf('queue').length === old.length && !pidsOf('queue').includes(old[0]), 'queue is back', 5000);
    await until(async () => (await get(instance.base, '/cgi_bin/queue', { action: 'list' })).status < 500, 'queue answers', 5000);

    process.kill(Number(fs.readFileSync(path.join(instance.runDir, 'nginx.pid'), 'utf8')), 'SIGKILL');
    await until(async () => (await statusOf(instance).catch(() => 0)) === 200, 'nginx is back', 5000);

    await killAndWait('rtcc');
});

test('a second instance beside the first is a world of its own', async () => {
    const second = await startInstance({ env: { RTCC_DEMO_PASSWORD: 'another one' } });
    assert.notEqual(second.port, instance.port);
    assert.equal(await statusOf(second), 200);
    assert.deepEqual(await second.stop(), { code: 0, signal: null });
    assert.equal(await statusOf(instance), 200);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} stops everything and frees the port`, async () => {
        const other = await startInstance();
        assert.ok(other.processes().length > programs().length);
        const began = Date.now();
        assert.deepEqual(await other.stop(signal), { code: 0, signal: null });
        assert.ok(Date.now() - began < 8000);
        assert.deepEqual(processesOf(other.runDir), []);
        assert.equal(await isListening(other.port), false);
    });
}

test('what a killed instance left behind is taken over, with its state', async () => {
    const runDir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    const first = await startInstance({ runDir });
    fs.writeFileSync(path.join(runDir, 'state', 'kept'), 'by the test');
    first.child.kill('SIGKILL');
    await first.ended;
    const left = processesOf(runDir).map((one) => one.pid);
    assert.ok(left.length > 0);
    const second = await startInstance({ runDir, port: first.port });
    assert.equal(await statusOf(second), 200);
    assert.deepEqual(processesOf(runDir).filter((one) => left.includes(one.pid)), []);
    assert.equal(fs.readFileSync(path.join(runDir, 'state', 'kept'), 'utf8'), 'by the test');
    await second.stop();
    fs.rmSync(runDir, { recursive: true });
});

test('what is no port is told in a sentence', () => {
    for (const port of ['0', '65536', '99999', 'abc']) {
        const said = spawnSync(path.join(tree, 'sbin/serve'), ['-b', buildFolder, '-p', port], { encoding: 'utf8', timeout: 10000 });
        assert.equal(said.status, 1);
        assert.equal(said.stderr, `serve: a port is a number from 1 to 65535, not '${port}'\n`);
    }
});

test('a folder in use and a taken port are refused with a sentence', async () => {
    const serve = (port, runDir) => spawnSync(path.join(tree, 'sbin/serve'), ['-b', buildFolder, '-p', port, '-r', runDir],
        { encoding: 'utf8' });
    const sameFolder = serve(await freePort(), instance.runDir);
    assert.equal(sameFolder.status, 1);
    assert.match(sameFolder.stderr, /already runs in/);
    const runDir = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-'));
    const other = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    const samePort = serve(other.address().port, runDir);
    other.close();
    fs.rmSync(runDir, { recursive: true });
    assert.equal(samePort.status, 1);
    assert.match(samePort.stderr, /port \d+ is taken/);
    assert.equal(await statusOf(instance), 200);
});

test('a wrong setting stops the start with the sentence that names the line', async () => {
    const failed = await startInstance({ settings: { hold_s: 'long' } }).then((odd) => odd.stop(), (error) => error.message);
    assert.match(failed, /serve ended with 1/);
    assert.match(failed, /rtcc\.conf, line \d+: hold_s /);
});

test('a program that cannot start is tried again for ever, but not in a hurry', async () => {
    const build = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-build-'));
    const isProgram = (from) => from === buildFolder || /(cgi-bin|sbin)(\/\w+)?$/.test(from);
    fs.cpSync(buildFolder, build, { recursive: true, filter: isProgram });
    fs.writeFileSync(path.join(build, 'cgi-bin/transcript'), '#!/bin/sh\necho tried >>tries\nexit 1\n', { mode: 0o755 });
    const odd = await startInstance({ build });
    const tries = () => fs.readFileSync(path.join(odd.runDir, 'tries'), 'utf8').split('\n').length - 1;
    await until(() => tries() > 5, 'more tries than multiwatch makes by itself', 5000);
    const before = tries();
    await sleep(2000);
    assert.ok(tries() - before >= 2 && tries() - before <= 10, `${tries() - before} tries in two seconds`);
    await odd.stop();
    fs.rmSync(build, { recursive: true });
});

test('the demonstration has two agents, a supervisor and an administrator; their passwords can be changed', async () => {
    const runDir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    const first = await startInstance({ runDir, env: { RTCC_DEMO_PASSWORD: '' } });
    const lines = [...first.said.matchAll(/^  (\w+) +\((\w+)\) +(\S+)$/gm)];
    const printed = Object.fromEntries(lines.map(([, ...words]) => [words[0], words]));
    assert.deepEqual(Object.keys(printed), ['anna', 'ben', 'sam', 'admin']);
    for (const [login, role, password] of Object.values(printed)) {
        assert.equal((await signIn({ ...first, password }, login)).role, role);
    }
    await first.stop();
    const again = await startInstance({ runDir, env: { RTCC_DEMO_PASSWORD: '' } });
    assert.ok(again.said.includes(printed.anna[2]), 'the same passwords are printed again');
    await again.stop();
    const changed = await startInstance({ runDir, env: { RTCC_DEMO_PASSWORD: 'a new password' } });
    assert.equal((await signIn({ ...changed, password: 'a new password' }, 'ben')).agent, 'ben');
    await assert.rejects(signIn({ ...changed, password: printed.ben[2] }, 'ben'), /401/);
    await changed.stop();
    fs.rmSync(runDir, { recursive: true });
});

test('a folder with a long name, spaces and odd characters serves', async () => {
    const parent = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    const runDir = path.join(parent, 'a folder & its "long" name '.repeat(4), 'x'.repeat(60));
    const odd = await startInstance({ runDir });
    assert.equal(await statusOf(odd), 200);
    assert.equal((await get(odd.base, '/style.css')).status, 200);
    await odd.stop();
    fs.rmSync(parent, { recursive: true });
});

test('templates are not served', async () => {
    const [template] = fs.readdirSync(path.join(tree, 'htdocs/templates'));
    assert.equal((await get(instance.base, `/templates/${template}`)).status, 404);
});

test('the access log shows no query', async () => {
    await get(instance.base, '/cgi_bin/status', { token: 'm_sesame' });
    await until(() => /"GET \/cgi_bin\/status HTTP\/1.1" 200/.test(instance.log('access')), 'the line', 3000);
    assert.doesNotMatch(instance.log('access'), /sesame/);
});
