/* The programs and `rtcc work` are replaced by others while people talk, come and go, and kept forms are being finished: nobody
 * notices. Every request is sent once, and one that is not answered is a fault. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, until } from '../lib/instance.js';
import { startBetween } from './lib/between.js';
import { check } from './lib/check.js';
import { formOf } from './lib/customer.js';
import { once } from './lib/once.js';
import { ownPrograms, processAt, upgradeOf } from './lib/programs.js';
import { sized } from './lib/soak.js';
import { startTalks } from './lib/talks.js';
import { checkVisits, startVisits } from './lib/visits.js';
import { inWorld } from './lib/world.js';

const UPGRADES = sized(1, 10), TALKS = 100, KEPT = 8;

/* ── forms that are kept ── */

/* Comes when the server behind the form is down; when it is well he sends the same form again, as his page does. */
const byKeptForm = (isMended) => async (world, n) => {
    const how = { form: formOf(world, n) }, who = `customer ${n}`;
    const asked = await once(world, who, 'ask', { n }, 'form_submit', how, { good: [202] });
    await isMended;
    const { status, ended, answer } = await once(world, who, 'ask', { n }, 'form_submit', how, { isKept: false });
    Object.assign(asked, { status, ended, answer, tries: 2 });
    return answer;
};

const numberOf = (call) => Number(call.body.get('reqid').split('-')[1]);

/* Some customers for whom the server is down. `rtcc work` finds it well as soon as there is replacement(), but slow at first: a
 * promise with the process that has this call in hand. `calls`: those of `rtcc work` since then, {n, pid, upgrade}. inHand(): the same
 * for the next customer to come, for whom the server is slow once, and the process of form_submit. */
function keepForms(world, between, visits) {
    const numbers = new Set(Array.from({ length: KEPT }, () => world.begun++)), kept = { calls: [] };
    const workers = new WeakMap();
    let isWell = false, mend, tell;
    const isMended = new Promise((done) => { mend = done; }), hasBegun = new Promise((done) => { tell = done; });
    let takes;
    const slowOnce = (socket) => {
        const process = takes && processAt(world.instance.processes('form_submit'), socket.remotePort);
        if (!process) return 'pass';
        takes(process);
        takes = undefined; // once
        return 'slow';
    };
    between.how = (call) => {
        const { socket } = call.asked; // it is kept
        if (!numbers.has(numberOf(call))) return slowOnce(socket);
        if (!isWell) return 'error';
        if (!workers.get(socket)) workers.set(socket, processAt(world.instance.processes('rtcc'), socket.remotePort));
        const worker = workers.get(socket);
        if (!worker) return 'error';
        const upgrade = upgradeOf(worker);
        tell({ pid: worker.pid, upgrade });
        const isFirst = kept.calls.push({ n: numberOf(call), pid: worker.pid, upgrade }) === 1;
        return isFirst || takes ? 'slow' : 'pass'; // it is not to be through with its form before the next customer is in hand, too
    };
    for (const n of numbers) visits.come(n, byKeptForm(isMended));
    kept.replacement = () => { isWell = true; return hasBegun; };
    kept.inHand = () => new Promise((done) => { takes = done; });
    kept.finished = async () => {
        const open = () => world.rows('SELECT reqid FROM request WHERE is_done = 0').map(({ reqid }) => reqid);
        const waits = (reqid) => numbers.has(Number(reqid.split('-')[1]));
        await until(() => kept.calls.length >= 3 * KEPT && !open().some(waits), 'the kept forms are finished', 20000, 250);
        mend();
    };
    return kept;
}

/* A form takes three calls. What was in hand is finished by the process that had it in hand, all else by the one after it; who gives
 * a call up, because it takes over three seconds on a machine that is busy with other things, leaves all of the form to the next. */
function checkWork({ calls }, before) {
    const olds = calls.filter((one) => one.pid === before.pid), news = calls.filter((one) => one.pid !== before.pid);
    const formsOf = (list) => new Set(list.map(({ n }) => n)).size, said = JSON.stringify(calls);
    assert.equal(formsOf(olds), 1, said);
    assert.equal(formsOf(news), olds.length === 3 ? KEPT - 1 : KEPT, said);
    assert.ok(news.every(({ upgrade }) => upgrade === before.upgrade + 1), said);
}

/* ── the upgrade ── */

/* Others lie in the programs' places. While `rtcc work` has a form in hand it is asked to end, and so is a form_submit, then each program
 * in any order: so old and new ones serve side by side for a while. */
async function replaceAll(world, programs, kept, chance) {
    const names = ['rtcc', ...programs.names], news = new Set();
    const ours = () => world.instance.processes().filter(({ name }) => names.includes(name)), before = programs.upgrade;
    await programs.replace();
    const olds = ours();
    assert.ok(olds.every((one) => upgradeOf(one) === before));
    const worker = await kept.replacement(), { pid: submitter } = await kept.inHand();
    const atOnce = (pid) => pid === worker.pid || pid === submitter;
    const inTurn = olds.map((one) => ({ ...one, at: atOnce(one.pid) ? 0 : chance.next() })).sort((a, b) => a.at - b.at);
    const pause = chance.between(0, 50);
    for (const { pid } of inTurn) {
        process.kill(pid, 'SIGTERM'); // as systemctl restart does; the sockets stay
        await sleep(pause);
    }
    const isNew = (one) => news.has(one.pid) || (upgradeOf(one) === programs.upgrade && news.add(one.pid));
    await until(() => {
        const running = ours(), count = (list, name) => list.filter((one) => one.name === name).length;
        return names.every((name) => count(running, name) === count(olds, name)) && running.every(isNew);
    }, 'the new programs run, and no old one', 15000, 200);
    const replacedAt = world.now();
    await kept.finished();
    checkWork(kept, worker);
    await until(() => programs.names.every((name) => world.answered.get(name)?.began > replacedAt), 'each has answered', 20000);
}

/* Somebody who looks all the time whether all is well. */
async function monitor(world, state) {
    while (!state.isOver) {
        await once(world, 'monitor', 'status', {}, 'status', {}, { isKept: false });
        await sleep(100);
    }
}

async function upgrade(t, programs, between, world) {
    const visits = startVisits(world), chance = world.random('upgrades'), state = { isOver: false };
    let kept = keepForms(world, between, visits);
    const talks = await startTalks(world, visits, TALKS, 3000), watching = monitor(world, state);
    watching.catch(() => {}); // it is awaited below
    visits.go(4);
    for (let i = 0; i < UPGRADES; i++) {
        if (i) kept = keepForms(world, between, visits);
        await sleep(1000);
        await replaceAll(world, programs, kept, chance);
    }
    await sleep(1000);
    state.isOver = true;
    await watching;
    const visited = await visits.stop(), said = await talks.stop();
    await visits.close();
    const again = world.history.of('ask').filter((one) => one.kept).length - UPGRADES * KEPT;
    t.diagnostic(`${said.reduce((a, b) => a + b)} messages in ${said.length} conferences, ${visited} visits beside them, ` +
        `${again} of them with a form that was kept, ${[...world.answered.values()].reduce((sum, { count }) => sum + count, 0)} requests`);
    assert.ok(said.every((one) => one >= 2));
    const faults = [...check(world), ...checkVisits(world, (line) => line.endsWith('status 500 and no XML'))];
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults`);
}

test(`the programs are upgraded with ${TALKS} live conferences, ${UPGRADES} time(s): none notices`, async (t) => {
    const programs = ownPrograms(), between = await startBetween();
    try {
        const settings = { ...between.settings, capacity: 25, hold_s: 5, offer_s: 60 };
        await inWorld('upgrade', { agents: 7, build: programs.folder, between, settings }, (world) =>
            upgrade(t, programs, between, world));
    } finally {
        await between.stop();
        programs.remove();
    }
});
