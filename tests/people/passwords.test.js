/* Somebody who sends invented logins in HTTP Basic to programs that others need: from one address, and from as many as there are.
 * A password is dear to look at, so few are; customers and those whose password was right before are served as ever.
 * Needs the whole machine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { sleep, startInstance } from '../lib/instance.js';
import { say } from '../lib/people.js';
import { percentile } from '../lib/percentile.js';
import { basic, isError, json, room, schedule } from '../lib/wire.js';

const CONNECTIONS = 30, SECONDS = 4, MOST_S = 60;
const ADDRESS = { most: 5, window: 60 }, SITE = { most: 10, window: 10 }; // lib/model/limit.c
const MOST_MS = { message: 300, form: 1000, program: 300 };
const client = '127.50.0.1';
let instance, customer;
before(async () => {
    instance = await startInstance({ crowd: true, settings: { password_cost: 5 } });
    ({ customer } = await room(instance.base));
});
after(() => instance?.stop());

const url = (name) => `/cgi_bin/${name}`;
const targets = [`${url('queue')}?action=list`, `${url('vcs_call')}?action=list&vanity=0000001`, `${url('vcs_conf_schedule')}?subject=x`,
    `${url('vcs_conf_delete')}?delete_vanity=0000001`, url('vcs'), url('status')];
const rates = () => Number(execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', path.join(instance.runDir, 'state/live.db'),
    'SELECT count(*) FROM rate'], { encoding: 'utf8' }));

/* Sends on so many connections until `isOver()` and counts the answers by status. From one address the connections are kept. */
async function flood(addressOf, counts, isOver) {
    let sent = 0;
    const lane = async () => {
        const agent = new http.Agent({ keepAlive: addressOf(0) === addressOf(1) });
        while (!isOver()) {
            const i = sent++, from = addressOf(i);
            const { status } = await get(instance.base, targets[i % targets.length], {}, { from, agent,
                ...basic(`invented-${i}-${Math.random()}`, 'x') });
            counts[status] = (counts[status] ?? 0) + 1;
            await sleep(10); // what is measured is the server, not this machine
        }
        agent.destroy();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}

/* What customers and a program wait for, until `isOver()`: their 95th percentiles. */
async function serve(isOver) {
    const took = { form: [], message: [], program: [] };
    const timed = async (what, ask) => {
        const began = performance.now();
        const answer = await ask();
        took[what].push(performance.now() - began);
        if (answer?.status) assert.equal(answer.status, 200, `${what}: ${answer.body}`);
    };
    while (!isOver()) {
        await timed('message', () => say(instance, customer, 'still here'));
        await timed('form', () => post(instance.base, url('form_submit'), { name: 'Ann', phone: '6035551234' }, json));
        await timed('program', () => get(instance.base, url('queue'), { action: 'list' }, { from: client,
            ...basic('anna', instance.password) }));
        await sleep(20);
    }
    return Object.fromEntries(Object.entries(took).map(([what, list]) => [what, percentile(list, 0.95)]));
}

const isOverAfter = (seconds) => {
    const end = Date.now() + seconds * 1000;
    return () => Date.now() > end;
};

async function attack(addressOf, limit) {
    const quiet = await serve(isOverAfter(2)), rowsBefore = rates(), isLate = isOverAfter(SECONDS), began = Date.now();
    const counts = {};
    let most;
    const isOver = () => { // a slow machine needs longer for a flood
        most = limit.most * (1 + Math.ceil((Date.now() - began) / 1000 / limit.window)); // a stretch may begin before
        return isLate() && (counts[429] > 20 * most || Date.now() - began > MOST_S * 1000);
    };
    const [, during] = await Promise.all([flood(addressOf, counts, isOver), serve(isOver)]);
    const rows = rates() - rowsBefore;
    console.log(`# ${JSON.stringify(counts)}, ${rows} rows; p95 in ms ${JSON.stringify(during)}, before ${JSON.stringify(quiet)}`);
    assert.deepEqual(Object.keys(counts).filter((one) => !['401', '429'].includes(one)), [], 'nothing but "wrong" and "too many"');
    assert.ok((counts[401] ?? 0) <= most, `${counts[401]} were looked at`);
    assert.ok(counts[429] > 20 * most, `${counts[429]}: hardly a flood`);
    assert.ok(rows <= 2 * most + 2, `${rows} rows are left of it`);
    for (const [what, ms] of Object.entries(during))
        assert.ok(ms < Math.max(MOST_MS[what], 10 * quiet[what]), `${what}: ${ms} ms, ${quiet[what]} ms before`);
}

test('invented logins from one address: five a minute are looked at, others are served as ever', async () => {
    await attack(() => '127.51.0.1', ADDRESS);
    isError(await get(instance.base, url('vcs'), {}, { from: '127.51.0.1', ...basic('ben', instance.password) }), 'too_many');
    assert.equal((await get(instance.base, url('vcs'), {}, { from: '127.51.0.2', ...basic('ben', instance.password) })).status, 200);
});

test('invented logins from everywhere: ten in ten seconds are looked at, and those who were right before are heard', async () => {
    await attack((i) => `127.${60 + i % 60}.${i % 200}.${1 + i % 250}`, SITE);
    let wrong;
    for (let i = 0; i < 20 && wrong?.status !== 429; i++)
        wrong = await get(instance.base, url('vcs'), {}, { from: `127.53.0.${i}`, ...basic(`invented-${i}`, 'x') });
    isError(wrong, 'too_many');
    assert.ok(Number(wrong.headers['retry-after']) <= SITE.window);
    isError(await get(instance.base, url('vcs'), {}, { from: '127.52.0.1', ...basic('sam', instance.password) }), 'too_many');
    assert.equal((await get(instance.base, url('vcs_conf_schedule'), {}, { from: client, ...basic('sam', instance.password) })).status, 200,
        'a password that this program has not seen yet, from an address that was right before');
    assert.match((await schedule(instance.base)).id, /server$/, 'and who shows none is not concerned');
});
