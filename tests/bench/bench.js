/* make bench: what it costs, beside what others would have. One table on the standard output, in Markdown.
 *
 * Every comparison is made in one run: its sides take turns, five rounds of them, and what is shown is the median of the rounds'
 * own ratios, because these machines are never equally fast twice. The figures that are not ratios say what they are.
 * BENCH=word,word runs only the groups with these names; ROUNDS=n (5), SECONDS=n (4) and MOST=n, above which no number of clients
 * goes, are for trying it out. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sleep, tree } from '../lib/instance.js';
import { startEjabberd, startProsody } from './bosh.js';
import { anonBytes, cpuMs, folder, load, memoryKb, run, startFossil, startNchan, startRtcc, wrk } from './place.js';
import { agents, channels, members, queueUp } from './rooms.js';

const rounds = Number(process.env.ROUNDS ?? 5), seconds = Number(process.env.SECONDS ?? 4);
const most = Number(process.env.MOST ?? Infinity);
const wanted = process.env.BENCH?.split(',');

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const thousands = (number) => number.toLocaleString('en');
const show = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

/* The rounds of one comparison: each of `sides` in turn, a function that gives an object of numbers. */
async function compare(sides) {
    const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
        for (const [name, measure] of Object.entries(sides)) results[name].push(await measure());
    }
    return {
        of: (name, figure) => median(results[name].map((one) => one[figure])),
        ratio: (a, b, figure) => median(results[a].map((one, i) => one[figure] / results[b][i][figure])),
    };
}

const rows = [];
const row = (what, figure, target, beside = '') => {
    rows.push([what, figure, target, beside]);
    process.stderr.write(`${what}: ${figure} (${target}) ${beside}\n`);
};

/* ── the groups ── */

async function programs() {
    const place = await startRtcc();
    const form = path.join(folder, 'form.lua');
    fs.writeFileSync(form, `wrk.method = "POST"
wrk.body = "name=Ann&phone=%2B16035551234&question=It+does+not+work."
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Accept"] = "application/json"
`);
    const at = (where, connections, script) => () => wrk(place.base, where, connections, seconds, script);
    const schedule = '/cgi_bin/vcs_conf_schedule?conf_type=reservationless&subject=new_conference';
    const plain = await compare({ file: at('/null.txt', 8), none: at('/cgi_bin/null', 8) });
    row('null program ÷ static file, 8 connections', show(plain.ratio('none', 'file', 'perS')), '≥ 0.45, aim 0.6',
        `${show(plain.of('none', 'perS'), 0)} and ${show(plain.of('file', 'perS'), 0)} requests/s`);
    for (const connections of [8, 64]) {
        const durable = await compare({ none: at('/cgi_bin/null', connections), schedule: at(schedule, connections) });
        row(`vcs_conf_schedule, durable ÷ null program, ${connections} connections`, show(durable.ratio('schedule', 'none', 'perS')), '≥ 0.5',
            `${show(durable.of('schedule', 'perS'), 0)} and ${show(durable.of('none', 'perS'), 0)} requests/s`);
    }
    const sent = await compare({ form: at('/cgi_bin/form_submit', 8, form) });
    row('form_submit to queued, 8 at once: p99', `${show(sent.of('form', 'p99Ms'), 1)} ms`, '< 25 ms',
        `${show(sent.of('form', 'perS'), 0)} forms/s, all on the disk`);
    await place.stop();
}

/* Of others, on a machine of the same kind; they are not measured here. */
const elsewhere = 'ejabberd, in memory, 266/s at 5.3 ms; Mibew 109/s at 16 ms; Live Helper Chat 73/s at 26 ms';

async function chats() {
    const place = await startRtcc();
    const who = await agents(place, 64);
    const started = await compare({ chats: () => load('chats', place, { ...who, k: 8, s: seconds }).result });
    row('chats started, 8 at once', `${show(started.of('chats', 'per_s'), 0)}/s`, '≥ 300/s',
        `p50 ${show(started.of('chats', 'p50_ms'), 1)} ms, p99 ${show(started.of('chats', 'p99_ms'), 1)} ms`);
    row('a chat started: the server\'s CPU', `${show(started.of('chats', 'cpu_ms_each'))} ms`, '≤ 5 ms', elsewhere);
    await place.stop();
}

/* Ten wait in each room: a message reaches all of them. */
async function delivery() {
    const place = await startRtcc(), nchan = await startNchan();
    for (const [count, rooms, rate] of [[100, 10, 200], [1000, 100, 300], [9000, 900, 300]]) {
        if (count > most) continue;
        const ours = await members(place, count, rooms), options = { k: 64, r: rate, s: seconds };
        const both = await compare({
            nchan: () => load('nchan', nchan, { ...channels(count, rooms), ...options }).result,
            rtcc: async () => load('rtcc', place, { ...await ours(), ...options }).result,
        });
        for (const [figure, aim] of [['p50_ms', 1.5], ['p99_ms', 1.3]]) {
            row(`delivery ${figure.slice(0, 3)} ÷ nchan, ${count} held, ${rate} messages/s to 10 each`, show(both.ratio('rtcc', 'nchan', figure)),
                `≤ 2.5, aim ${aim}`, `${show(both.of('rtcc', figure))} and ${show(both.of('nchan', figure))} ms`);
        }
    }
    const count = Math.min(1000, most), ours = await members(place, count, count), options = { k: 32, r: 0, s: seconds };
    const both = await compare({
        nchan: () => load('nchan', nchan, { ...channels(count, count), ...options }).result,
        rtcc: async () => load('rtcc', place, { ...await ours(), ...options }).result,
    });
    row(`messages/s flat out ÷ nchan, ${thousands(count)} held`, show(both.ratio('rtcc', 'nchan', 'per_s')), '≥ 0.5, aim 0.75',
        `${show(both.of('rtcc', 'per_s'), 0)} and ${show(both.of('nchan', 'per_s'), 0)} messages/s; ours are on the disk`);
    row('messages/s flat out', `${show(both.of('rtcc', 'per_s'), 0)}/s`, '≥ 2,100/s');
    row('a message flat out: the server\'s CPU', `${show(both.of('rtcc', 'cpu_ms') / both.of('rtcc', 'posts'))} ms`, '≤ 0.65 ms');
    await nchan.stop();
    await place.stop();
}

/* What some processes take of a core, over a while. */
async function coreOf(pids, ms) {
    const cpu = cpuMs(pids), began = performance.now();
    await sleep(ms);
    return (cpuMs(pids) - cpu) / (performance.now() - began) * 100;
}

/* Memory and CPU of a whole server while clients wait at it and nothing happens; the CPU is the median of as many times. */
async function holding(name, place, kind, options) {
    const before = memoryKb(place.pids());
    const own = place.processes?.('conf_poll')[0]?.pid, ownBefore = own && anonBytes(own);
    const waiting = load(kind, place, { ...options, k: 0, s: 30 });
    await waiting.held;
    await sleep(3000);
    const pids = place.pids(), cores = []; // some make a process for each who waits
    for (let round = 0; round < rounds; round++) cores.push(await coreOf(pids, 15000 / rounds));
    const core = median(cores), each = (memoryKb(place.pids()) - before) / options.n, ownEach = own && (anonBytes(own) - ownBefore) / options.n;
    await waiting.result;
    return { name, each, ownEach, core };
}

async function waiting() {
    const place = await startRtcc();
    queueUp(place, 1000);
    const rooms = await members(place, 1000, 1000);
    const some = await holding('rtcc', place, 'rtcc', await rooms());
    row('1,000 customers waiting: CPU of the whole server', `${show(some.core)} % of a core`, '≤ 2.5 %');
    row('1,000 customers waiting: memory of the whole server', `${show(some.each, 1)} KB each`, '≤ 50 KB each');
    const ten = await members(place, 10000, 1000);
    const many = await holding('rtcc', place, 'rtcc', await ten());
    row('10,000 held: the process of conf_poll', `${show(many.ownEach, 0)} bytes each`, '≤ 256, aim 128',
        `whole server: ${show(many.each, 1)} KB each, ${show(many.core)} % of a core`);
    await place.stop();
    const room = { kind: 'fossil', spread: 1, rate: 20, few: 10, said: '20 messages/s to 10, on the disk' };
    const bosh = { kind: 'bosh', spread: 1000, rate: 200, few: 1000, said: '200 messages/s, in memory' };
    for (const [name, start, how] of [['ejabberd (BOSH)', startEjabberd, bosh], ['Prosody (BOSH)', startProsody, bosh],
        ['fossil (/chat)', startFossil, room]]) {
        try {
            await beside(name, start, how);
        } catch (error) { // ours are not measured less well without it
            row(`${name}: 1,000 held`, 'not measured', 'beside ours', error.message.split('\n')[0]);
        }
    }
}

/* Another server, in the same way: 1,000 hold, spread over so many rooms; then, of another one (what is left of those who held would
 * be in the way), messages to some. */
async function beside(name, start, { kind, spread, rate, few, said }) {
    const held = await inPlace(start, (other) => holding(name, other, kind, channels(1000, spread)));
    const options = { ...channels(few, Math.min(few, spread)), k: 256, r: rate, s: seconds };
    const sent = await inPlace(start, (other) => compare({ other: () => { other.clear?.(); return load(kind, other, options).result; } }));
    row(`${name}: 1,000 held`, `${show(held.core)} % of a core, ${show(held.each, 1)} KB each`, 'beside ours',
        `${said}: p50 ${show(sent.of('other', 'p50_ms'))} ms, p99 ${show(sent.of('other', 'p99_ms'))} ms`);
}

async function inPlace(start, measure) {
    const place = await start();
    try {
        return await measure(place);
    } finally {
        await place.stop();
    }
}

/* How long an agent who has just ended one waits for the next, with few and with many waiting. */
async function offers() {
    const sides = {}, places = [], many = Math.min(100000, most);
    for (const [waiting, taken, times] of [[10, 10, 20], [many, Math.min(200, many), 1]]) {
        const place = await startRtcc();
        const who = await agents(place, 1, 1);
        places.push(place);
        if (waiting > taken) queueUp(place, waiting);
        sides[waiting] = async () => {
            const found = [];
            for (let i = 0; i < times; i++) {
                queueUp(place, taken);
                found.push((await load('chats', place, { ...who, k: 0, n: taken, s: 60 }).result).offer_p50_ms);
            }
            return { offer: median(found) };
        };
    }
    const both = await compare(sides);
    row(`one offer with ${thousands(many)} waiting ÷ with 10`, show(both.ratio(many, 10, 'offer')), '≤ 1.5',
        `from the end of one to the offer of the next: ${show(both.of(many, 'offer'))} and ${show(both.of(10, 'offer'))} ms`);
    for (const place of places) await place.stop();
}

/* ── the table ── */

/* '?' where there is nothing to be said: `make test` does not install the others that ours is measured beside. */
const said = (pattern, command, ...args) => pattern.exec(run('sh', ['-c', '"$0" "$@" 2>&1 || :', command, ...args]))?.[1] ?? '?';
const packaged = (name) => said(/([\d.]+\d)/, 'dpkg-query', '-W', '-f', '${source:Upstream-Version}', name);

function heading() {
    const [cpu] = os.cpus(), versions = ['nginx', 'libsqlite3-0', 'libfcgi0ldbl', 'libnginx-mod-nchan', 'ejabberd', 'prosody', 'fossil',
        'wrk'];
    return `${new Date().toISOString().slice(0, 10)}, rtcc ${said(/(\S+)/, 'git', '-C', tree, 'describe', '--always', '--dirty')}, ` +
        `${os.availableParallelism()} cores (${cpu.model}), load before ${os.loadavg()[0].toFixed(2)}, ${os.type()} ${os.release()}, ` +
        `${versions.map((name) => `${name} ${packaged(name)}`).join(', ')}; medians of ${rounds} rounds of ${seconds} s`;
}

/* What the table that is kept says of the same rows, so that a change for the worse shows. */
function kept() {
    const text = fs.readFileSync(path.join(tree, 'tests/bench/README.md'), 'utf8');
    const figures = new Map(text.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split(' | ').slice(0, 2))
        .map(([what, figure]) => [what.slice(2), figure]));
    return rows.map(([what, figure]) => `${what}: ${figure}, was ${figures.get(what) ?? 'not there'}`);
}

const groups = { programs, chats, delivery, waiting, offers };
const head = heading();
for (const [name, group] of Object.entries(groups)) {
    if (!wanted || wanted.includes(name)) await group();
}
console.log(`${head}\n\n| what | measured | target | beside |\n|---|---|---|---|`);
for (const one of rows) console.log(`| ${one.join(' | ')} |`);
console.log(`\nLoad after: ${os.loadavg()[0].toFixed(2)}\n\nBeside the table that is kept:\n${kept().join('\n')}`);
fs.rmSync(folder, { recursive: true, force: true });
process.exit(0);
