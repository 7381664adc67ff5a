/* The clock on the wall jumps by two hours; the machine starts anew with offers open. No offer is lost, doubled or stuck. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { sleep, startInstance, tree, until } from '../lib/instance.js';
import { accept, act, agentPoll, ask, confPoll, readyAgent, waitForOffer } from '../lib/people.js';
import { html, json } from '../lib/wire.js';
import { Clock } from './clock.js';
import { startBetween } from './lib/between.js';
import { killRun } from './lib/kills.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';
import { OFFER_S } from './lib/world.js';

const HOURS = 3600;
const rowsOf = ({ runDir }, sql) => execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 10000',
    path.join(runDir, 'state/rtcc.db'), sql], { encoding: 'utf8' }).trim();

/* When the last event was, by the programs' clock. */
const lastAt = (instance) => Number(rowsOf(instance, 'SELECT at FROM event ORDER BY id DESC LIMIT 1'));

/* Two have come before the jump, one comes after it; an agent holds an offer over it. */
async function jumpWithAnOffer(seconds) {
    const clock = new Clock(), between = await startBetween();
    const instance = await startInstance({ env: clock.env, settings: { offer_s: 30, hold_s: 2, ...between.settings } });
    between.to = instance.port;
    try {
        const anna = await readyAgent(instance, 'anna'), first = await ask(instance), second = await ask(instance);
        const offer = await waitForOffer(instance, anna, first.conference);
        between.how = () => 'hangUp'; // a form is kept over the jump
        const kept = { name: 'Kim', phone: '+16035551234', reqid: randomUUID() };
        assert.equal((await post(instance.base, '/cgi_bin/form_submit', kept, json)).status, 202);
        between.how = () => 'pass';
        clock.jump(seconds);
        const jumped = lastAt(instance), began = Date.now();
        await sleep(2500); // the ticks look
        const third = await ask(instance), page = await agentPoll(instance, anna);
        const moved = lastAt(instance) - jumped;
        assert.ok(Math.abs(moved - seconds * 1000) < 60000, `the programs' clock jumped (${moved} ms)`);
        assert.deepEqual([page.agent.state, page.offers.map((one) => one.reservation)], ['ready', [offer.reservation]],
            'the offer is still his');
        assert.ok(page.offers[0].expires_s > 15 && page.offers[0].expires_s <= 30, `${page.offers[0].expires_s} s are left`);
        assert.equal((await confPoll(instance, second)).queue.position, 2);
        assert.equal((await confPoll(instance, first)).queue.position, 1);
        await accept(instance, anna, offer);
        const next = [second, third];
        for (let i = 0; i < 2; i++) {
            const offered = await waitForOffer(instance, anna);
            if (offered.conference === next[0].conference) next.shift();
            await accept(instance, anna, offered);
        }
        assert.ok(next.length < 2, 'the second before the third');
        const done = () => rowsOf(instance, `SELECT is_done FROM request WHERE reqid = '${kept.reqid}'`) === '1';
        await until(done, 'the form that was kept is queued', Math.max(1000, 12000 - (Date.now() - began)));
        assert.equal(rowsOf(instance, "SELECT count(*) FROM reservation WHERE state NOT IN ('accepted', 'pending')"), '0');
    } finally {
        await instance.stop();
        await between.stop();
        clock.clear();
    }
}

/* A crowd while the clock jumps all the time: first come, first served all the same. */
async function jumpAllTheTime(t) {
    const clock = new Clock(), [seed] = seeds(1);
    const jumps = [2 * HOURS, 0, -2 * HOURS, 0];
    const timer = setInterval(() => { clock.jump(jumps[0]); jumps.push(jumps.shift()); }, 1500);
    try {
        const { faults, summary, file } = await killRun('jumps', seed, { kills: 0, customers: sized(60, 600), quiet: 1000, agents: 4,
            env: clock.env, isClockSet: true, drain: 20000 });
        t.diagnostic(JSON.stringify(summary));
        assert.deepEqual(faults, [], `seed ${seed}, history: ${file}`);
    } finally {
        clearInterval(timer);
        clock.clear();
    }
}

const DAY = 24 * HOURS;

/* What of the first boot must not hold in the second one: an account that was closed to wrong passwords, a form that is just being
 * worked on, and an agent who is there, whose offer has an hour to go. */
async function firstBoot(instance, between) {
    const wrong = () => post(instance.base, '/cgi_bin/agent_sign', { login: 'sam', password: 'wrong' }, json);
    const anna = await readyAgent(instance, 'anna'), served = await ask(instance);
    await accept(instance, anna, await waitForOffer(instance, anna, served.conference));
    const first = await ask(instance), second = await ask(instance);
    const open = await waitForOffer(instance, anna, first.conference);
    for (let tries = 0; tries < 6; tries++) await wrong();
    assert.equal((await wrong()).status, 429);
    const kept = { name: 'Kim', phone: '+16035551234', reqid: randomUUID() };
    between.how = (call) => call.body.get('reqid') === kept.reqid ? 'deaf' : 'pass';
    assert.equal((await post(instance.base, '/cgi_bin/form_submit', kept, json)).status, 202);
    await until(() => rowsOf(instance, `SELECT count(*) FROM job WHERE key = '${kept.reqid}' AND boot <> ''`) === '1', 'it is worked on');
    return { served, first, second, open, kept };
}

/* The machine stops at once. */
async function stopAtOnce(instance) {
    instance.child.kill('SIGKILL');
    for (const { pid } of instance.processes()) process.kill(pid, 'SIGKILL');
    await instance.ended;
}

async function secondBoot(instance, { served, first, second, open, kept }) {
    const isThere = (login) => rowsOf(instance, `SELECT is_present FROM agent WHERE login = '${login}'`) === '1';
    const ben = await readyAgent(instance, 'ben');
    const offer = await waitForOffer(instance, ben, first.conference);
    assert.notEqual(offer.reservation, open.reservation);
    assert.ok(offer.expires_s > 3500 && offer.expires_s <= 3600, `${offer.expires_s} s to accept`);
    await until(() => !isThere('anna'), 'whose polls were of the first boot is gone', 5000);
    const again = await readyAgent(instance, 'anna');
    const late = await post(instance.base, '/cgi_bin/agent_act', { action: 'accept', reservation: open.reservation },
        { bearer: again.token, ...json });
    assert.equal(late.status, 409, late.body);
    await accept(instance, ben, offer);
    await accept(instance, again, await waitForOffer(instance, again, second.conference));
    assert.deepEqual((await agentPoll(instance, again)).conferences.map((one) => one.conference).sort(),
        [served.conference, second.conference].sort(), 'he is still with the one whom he served then');
    assert.equal((await confPoll(instance, served)).state, 'talking');
    const sam = await readyAgent(instance, 'sam'); // nobody's wrong passwords of the first boot shut him out
    for (const agent of [ben, again]) await act(instance, agent, 'notready');
    await until(() => rowsOf(instance, `SELECT is_done FROM request WHERE reqid = '${kept.reqid}'`) === '1', 'the kept form is queued');
    const third = await accept(instance, sam, await waitForOffer(instance, sam));
    assert.equal(rowsOf(instance, "SELECT count(*) FROM reservation WHERE state = 'pending'"), '0');
    for (const one of [served, second]) await act(instance, again, 'end', { conf: one.conference });
    await act(instance, ben, 'end', { conf: first.conference });
    await act(instance, sam, 'end', { conf: third.conference });
}

/* The machine, which has run for forty days, stops at once with an offer open that has an hour to go, and starts again: its boot has
 * another id, and its clock begins anew. */
async function restart(t) {
    const clock = new Clock(), between = await startBetween(), runDir = path.join(clock.folder, 'run');
    const settings = { offer_s: 3600, gone_s: 3600, hold_s: 2, capacity: 10, ...between.settings };
    const start = async () => {
        const instance = await startInstance({ runDir, env: clock.env, settings });
        between.to = instance.port;
        return instance;
    };
    const boots = [clock.boot(40 * DAY)];
    let instance = await start();
    try {
        const before = await firstBoot(instance, between);
        await stopAtOnce(instance);
        between.how = () => 'pass';
        boots.push(clock.boot(0));
        instance = await start();
        await secondBoot(instance, before);
        const last = boots.map((boot) => Number(rowsOf(instance, `SELECT max(boot_ms) FROM reservation WHERE boot = '${boot}'`)));
        t.diagnostic(`the boots' clocks in what the programs wrote: ${last.join(' ms, then ')} ms`);
        assert.ok(last[0] > 40 * DAY * 1000 && last[1] > 0 && last[1] < 2 * HOURS * 1000, 'the second began anew');
    } finally {
        await instance.stop();
        await between.stop();
        clock.clear();
    }
}

/* The way on for a browser without cookies, made at one time and used at another. */
async function ticketOverTime() {
    const clock = new Clock(), instance = await startInstance({ env: clock.env });
    try {
        const { conference: conf, token } = await ask(instance);
        const { headers: { location } } = await get(instance.base, '/cgi_bin/conf_view', { conf, token }, html);
        for (const [hours, status] of [[0, 200], [2, 200], [23, 200], [25, 401], [-2, 200], [-23, 200]]) {
            clock.jump(hours * HOURS);
            assert.equal((await get(instance.base, location, {}, html)).status, status, `${hours} hours later`);
        }
    } finally {
        await instance.stop();
        clock.clear();
    }
}

describe('the clock', { concurrency: 2 }, () => {
    test('is a day on: a ticket opens nothing any more; until then, and when it was set back, it does', ticketOverTime);
    test('jumps two hours on: offers, places and kept forms stay', () => jumpWithAnOffer(2 * HOURS));
    test('jumps two hours back: offers, places and kept forms stay', () => jumpWithAnOffer(-2 * HOURS));
    test(`jumps all the time while a crowd is served with ${OFFER_S} s to accept`, jumpAllTheTime);
    test('the machine starts anew: what was offered then is offered again, in its place', restart);
    test('systemd lets the programs read the id of the boot', () => {
        for (const unit of ['rtcc@.service', 'rtcc-work.service']) {
            assert.doesNotMatch(fs.readFileSync(path.join(tree, 'conf/systemd', unit), 'utf8'), /^ProcSubset=pid/m, unit);
        }
    });
});
