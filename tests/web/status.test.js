/* status: a word for everybody, every check for those who may mend it, numbers for monitoring. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get } from '../lib/http.js';
import { buildFolder, startInstance, until } from '../lib/instance.js';
import { accept, ask, signIn, waitForOffer } from '../lib/people.js';
import { isError, json, onDuty, rtcc } from '../lib/wire.js';

const url = '/cgi_bin/status', foreign = { headers: { Via: '1.1 proxy' } };
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const status = (query = {}, options = {}) => get(base, url, query, options);
const files = () => path.join(instance.runDir, 'state/files');

/* While its folder for files is away the place is not well. */
async function whileUnwell(look) {
    fs.renameSync(files(), `${files()}.away`);
    try {
        await look();
    } finally {
        fs.renameSync(`${files()}.away`, files());
    }
}

test('a stranger gets ok and nothing else, in whatever form he asks', async () => {
    for (const [query, options] of [[{}, foreign], [{ format: 'metrics' }, foreign], [{}, { ...foreign, ...json }]]) {
        const answer = await status(query, options);
        assert.equal(answer.status, 200);
        assert.match(answer.headers['content-type'], /^text\/plain/);
        assert.equal(answer.body.trim(), 'ok');
    }
});

test('when something is wrong it is 503 and not ok', async () => {
    await whileUnwell(async () => {
        const answer = await status({}, foreign);
        assert.deepEqual([answer.status, answer.body.trim()], [503, 'not ok']);
        assert.doesNotMatch(answer.body, new RegExp(instance.runDir), 'how, is not told to strangers');
    });
    assert.equal((await status({}, foreign)).status, 200);
});

test('a trusted caller gets every check', async () => {
    const agent = await signIn(instance, 'anna'), conf = path.join(instance.runDir, 'rtcc.conf');
    const key = (await rtcc(buildFolder, conf, ['key', 'add', 'monitor'])).stdout.trim();
    for (const options of [{}, { bearer: key, ...foreign }, { bearer: agent.token, ...foreign }]) {
        const lines = (await status({}, options)).body.trim().split('\n');
        assert.equal(lines[0], 'ok');
        for (const name of ['database', 'disk', 'files', 'pages', 'key', 'work']) {
            assert.ok(lines.some((line) => new RegExp(`^${name} +ok `).test(line)), name);
        }
        const asked = (await status({}, { ...options, ...json })).json();
        assert.equal(asked.ok, true);
        assert.ok(asked.checks.length >= 6 && asked.checks.every((one) => one.ok === true && one.name && one.what
            && one.mend === null));
    }
    isError(await status({}, { bearer: 'k_x.y' }), 'unauthorized');
});

test('a trusted caller is told what is wrong and how to mend it', async () => {
    await whileUnwell(async () => {
        const { body, status: code } = await status();
        assert.equal(code, 503);
        assert.match(body, /^not ok\n/);
        assert.match(body, /^files +NOT OK .*cannot be written\. .*rtcc init/m);
        const asked = await status({}, json), wrong = asked.json().checks.filter((one) => !one.ok);
        assert.deepEqual([asked.status, asked.json().ok, wrong.map((one) => one.name)], [503, false, ['files']]);
        assert.match(wrong[0].mend, /rtcc init/);
    });
});

test('what is wrong with the key of form_submit is seen', async () => {
    const key = path.join(instance.runDir, 'state/service.key');
    fs.renameSync(key, `${key}.away`);
    try {
        assert.match((await status()).body, /^key +NOT OK /m);
    } finally {
        fs.renameSync(`${key}.away`, key);
    }
});

/* {name: number} of Prometheus text, every line of which is looked at. */
function metricsOf(text) {
    const numbers = {}, types = {};
    for (const line of text.trimEnd().split('\n')) {
        if (/^# HELP rtcc_\w+ \S/.test(line)) continue;
        const [, name, kind] = /^# TYPE (\w+) (gauge|counter)$/.exec(line) ?? [];
        if (name) {
            types[name] = kind;
            continue;
        }
        const [, metric, number] = /^(rtcc_\w+) (\d+)$/.exec(line) ?? assert.fail(line);
        assert.ok(types[metric], `${metric} has a type`);
        numbers[metric] = Number(number);
    }
    return numbers;
}

test('format=metrics is Prometheus text, and its numbers are right', async (t) => {
    const first = await status({ format: 'metrics' });
    assert.match(first.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    const before = metricsOf(first.body);
    assert.equal(before.rtcc_up, 1);
    const agent = await onDuty(t, instance, 'anna'), one = await ask(instance), two = await ask(instance);
    await accept(instance, agent, await waitForOffer(instance, agent, one.conference));
    const now = metricsOf((await status({ format: 'metrics' })).body);
    assert.deepEqual([now.rtcc_waiting, now.rtcc_talking, now.rtcc_agents_ready],
        [before.rtcc_waiting + 1, before.rtcc_talking + 1, before.rtcc_agents_ready + 1]);
    assert.ok(now.rtcc_events_total > before.rtcc_events_total);
    assert.match(two.conference, /server$/);
    await whileUnwell(async () => {
        const unwell = await status({ format: 'metrics' });
        assert.deepEqual([unwell.status, metricsOf(unwell.body).rtcc_up], [503, 0]);
    });
});

test('it answers while another process writes', async () => {
    let isOver = false;
    const busy = (async () => { while (!isOver) await Promise.all([ask(instance), ask(instance)]); })();
    await until(async () => (await status()).status === 200, 'it is well', 5000);
    for (let i = 0; i < 20; i++) assert.equal((await status()).status, 200);
    isOver = true;
    await busy;
});
