/* Under load for SOAK_S seconds (30 in `make test`, 2,400 in `make soak`): no program needs more memory or descriptors at the end
 * than at the beginning. Prints its history, a line for each sample.
 *
 * What is compared is each program's own memory (RssAnon) after a warm-up of a quarter of the time, in which caches fill and the
 * heap finds its size, with the least of the last samples: a leak grows for ever, a peak goes away. So the long run is half an hour
 * after ten minutes of warming up, and its memory within 5 %; the short one's heap is still finding its size. How soon is a matter
 * of work, not of time (a heap takes one step when two large files first meet in it), so a slow machine warms up for longer. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { wholeFlow } from '../lib/everything.js';
import { get, post } from '../lib/http.js';
import { sleep, startInstance } from '../lib/instance.js';
import { confPoll, say, sendFile } from '../lib/people.js';
import { programNames } from '../lib/table.js';
import { room } from '../lib/wire.js';

const seconds = Number(process.env.SOAK_S ?? 30);
const SLACK_KB = seconds < 600 ? 64 : 0; // some pages of the heap, on a process of two MB
const WARM_ROOMS = 100, FILES_IN_ROOM = seconds < 600 ? 4 : 1; // in the long run they would fill a disk
const SAMPLES_WARM = 5, SAMPLES = 20;
const SOCKETS_MOST = 8;                  // the web server keeps as many as the load below needs at once, in any process
let instance;
before(async () => { instance = await startInstance({ crowd: true, settings: { capacity: 50 } }); });
after(() => instance?.stop());

/* {"NAME PID": {kb, files, sockets}} of every program. */
function sample() {
    const found = {};
    for (const { pid, name } of instance.processes().filter((one) => programNames.includes(one.name) || one.name === 'rtcc')) {
        const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8'), kinds = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
            try { return fs.readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return 'socket: that was closed just now'; }
        }), sockets = kinds.filter((one) => one.startsWith('socket:')).length;
        found[`${name} ${pid}`] = { kb: Number(/RssAnon:\s+(\d+)/.exec(status)[1]), files: kinds.length - sockets, sockets };
    }
    return found;
}

/* A room of its own with a talk in it, and everything that goes wrong beside it. */
async function talkInRoom() {
    const { leader, customer, agent } = await room(instance.base);
    for (let i = 0; i < 10; i++) {
        const waiting = confPoll(instance, customer, (await confPoll(instance, customer)).after, 2);
        await say(instance, agent, `message ${i} `.repeat(50));
        await waiting;
    }
    for (let i = 0; i < FILES_IN_ROOM; i++)
        await sendFile(instance, customer, 'a.bin', 'application/octet-stream', Buffer.alloc(100000, 'x'));
    await get(instance.base, '/cgi_bin/conf_view', { conf: customer.conference, token: customer.token, part: 'page' });
    await post(instance.base, '/cgi_bin/conf_post', { conf: customer.conference, token: 'm_1_x', kind: 'leave' });
    await get(instance.base, '/cgi_bin/vcs_conf_delete', { delete_vanity: leader });
}

/* Again and again until load.isOver; counts in load[name]. */
async function repeat(load, name, what) {
    for (; !load.isOver; load[name]++) await what();
}

/* The samples, of which those from `warm` on count. */
async function watch(load, working) {
    const history = [];
    let warm;
    while (warm === undefined || history.length < warm + SAMPLES - SAMPLES_WARM + 1) {
        await Promise.race([sleep(seconds * 1000 / SAMPLES), working]);
        history.push(sample());
        if (history.length >= SAMPLES_WARM && load.rooms >= WARM_ROOMS) warm ??= history.length - 1;
        assert.ok(history.length < 5 * SAMPLES, `only ${load.rooms} rooms in all the time`);
    }
    return { history, warm };
}

const isFlat = (before, now) => now.kb <= before.kb * 1.05 + SLACK_KB && now.files <= before.files * 1.05
    && now.sockets <= SOCKETS_MOST;

test(`memory and descriptors stay flat under load for ${seconds} s`, async () => {
    const load = { isOver: false, cases: 0, rooms: 0 };
    const working = Promise.all([repeat(load, 'cases', () => wholeFlow(instance)), repeat(load, 'rooms', talkInRoom),
        repeat(load, 'rooms', talkInRoom)]);
    working.catch(() => {});
    const { history, warm } = await watch(load, working).finally(() => { load.isOver = true; });
    await working;
    await sleep(1500); // what is held is given back
    history.push(sample());
    const first = history[warm], last = history.slice(seconds < 600 ? -5 : -2); // the long run is judged at its end
    console.log(`# ${load.cases} whole cases, ${load.rooms} rooms, warm after sample ${warm + 1}`);
    for (const name of Object.keys(first)) console.log(`# ${name}: KB ${history.map((one) => one[name]?.kb ?? '-').join(' ')}, `
        + `files ${first[name].files} to ${last.at(-1)[name]?.files}, sockets ${first[name].sockets} to ${last.at(-1)[name]?.sockets}`);
    assert.ok(load.cases > 2, 'there was load');
    assert.equal(Object.keys(first).length, new Set([...Object.keys(first), ...Object.keys(last.at(-1))]).size, 'no program died');
    for (const name of Object.keys(first)) {
        /* in the short run one that had nothing to do yet is measured by those of its program that had */
        const like = Object.keys(first).filter((one) => seconds < 600 && one.split(' ')[0] === name.split(' ')[0]);
        first[name].kb = Math.max(first[name].kb, ...like.map((one) => first[one].kb));
        const least = Object.fromEntries(['kb', 'files', 'sockets'].map((what) =>
            [what, Math.min(...last.map((one) => one[name][what]))]));
        assert.ok(isFlat(first[name], least), `${name}: ${JSON.stringify(first[name])} became ${JSON.stringify(least)}`);
    }
});
